import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';

describe('GET /metrics', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const grantOf = (verb: 'metrics:read' | 'promotions:read') => [{ verbs: [verb], paths: ['*'], repositories: ['**'] }];

  it('tells what was asked of the API, by route', async () => {
    const key = await api.keyWith(grantOf('metrics:read'));
    await api.send('GET', '/api/v1/promotions/01890a5d-ac96-774b-bcce-b302099a8057');
    await api.send('GET', '/nowhere');

    const answer = await api.send('GET', '/metrics', { key });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.text).toContain('waybill_http_request_seconds_count{method="GET",route="/api/v1/promotions/:id",status="404"} 1\n');
    expect(answer.text).toContain('waybill_http_request_seconds_count{method="GET",route="none",status="404"} 1\n');
    expect(answer.text).toContain('process_resident_memory_bytes');
  });

  it('is for keys that may read it', async () => {
    expect(problemIn(await api.send('GET', '/metrics', { key: null }))).toMatchObject({ status: 401 });
    expect(problemIn(await api.send('GET', '/metrics', { key: await api.keyWith(grantOf('promotions:read')) }))).toMatchObject({
      status: 403,
    });
  });
});
