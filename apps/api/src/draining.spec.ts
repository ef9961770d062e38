import { afterEach, describe, expect, it } from '@jest/globals';
import { type ScriptedServer, startScriptedServer, until } from '@waybill/testing';
import { type ApiUnderTest, startApi } from './api-under-test.spec-helper.js';
import { Draining } from './infrastructure/draining.js';
import { applyRelease, promotionOf } from './registries-under-test.spec-helper.js';

describe('an API that is stopped', () => {
  let api: ApiUnderTest;
  let source: ScriptedServer | undefined;

  afterEach(async () => {
    await api.stop();
    await source?.stop();
    source = undefined;
  });

  /** A promotion whose source answers nothing before it is let. */
  async function openRequest(config: { readonly drainMs: number }) {
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const registry = await startScriptedServer(async (_request, response) => {
      await held;
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    });
    source = registry;
    api = await startApi({ config: { registryDeadlineMs: 60_000, ...config } });
    await applyRelease(api, { 'ci-snapshots': registry.origin });
    const response = api.post('/api/v1/promotions', promotionOf());
    await until('the API asks the source', () => registry.requests.length > 0);
    return { response, answer };
  }

  it('says first that it is not ready, and answers everything else, once more on each connection', async () => {
    api = await startApi();
    expect((await api.send('GET', '/health/ready')).headers.get('connection')).toBe('keep-alive');

    await api.app.get(Draining).announce();

    expect(await api.send('GET', '/health/ready', { key: null })).toMatchObject({
      status: 503,
      body: { status: 'failing', parts: { process: { status: 'failing', problem: 'the process is stopping' } } },
    });
    expect((await api.send('GET', '/health/live')).status).toBe(200);
    const answer = await api.send('GET', '/api/v1/promotions');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
  });

  it('takes no more connections, and finishes the requests that are open', async () => {
    const { response, answer } = await openRequest({ drainMs: 60_000 });

    const closed = api.app.close();
    await until('it takes no more connections', async () => !(await isReached(api.url)));
    answer();

    expect((await response).body).toMatchObject({ code: 'repository-unknown', status: 404 });
    await closed;
  });

  it('waits no longer for them than it may', async () => {
    const { response, answer } = await openRequest({ drainMs: 50 });
    const broken = expect(response).rejects.toThrow();

    await api.app.close();

    await broken;
    answer();
  });
});

async function isReached(url: string): Promise<boolean> {
  try {
    await (await fetch(`${url}/health/live`)).text();
    return true;
  } catch {
    return false;
  }
}
