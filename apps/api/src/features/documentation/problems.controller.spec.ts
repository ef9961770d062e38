import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemKinds } from '@waybill/contracts/http';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';

describe('documentation', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const read = (path: string) => api.send('GET', path, { key: null });

  it('stands where the type of a problem leads, for every kind', async () => {
    const problem = problemIn(await read('/nothing'));
    const page = await read(new URL(problem.type, api.url).pathname);

    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect([...page.text.matchAll(/<h2 id="([^"]+)">/g)].map(([, id]) => id)).toEqual(Object.keys(problemKinds));
    expect(page.text).toContain(`id="${new URL(problem.type, api.url).hash.slice(1)}"`);
  });

  it('is served as a page and as OpenAPI', async () => {
    expect(await read('/api/docs')).toMatchObject({ status: 200, text: expect.stringContaining('Waybill API') });
    expect(await read('/api/docs/openapi.json')).toMatchObject({ status: 200, body: { openapi: '3.0.0', info: { title: 'Waybill' } } });
  });
});
