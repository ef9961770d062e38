import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { codesOf, RawRegistry } from '../raw-http.spec-helper.js';

const content = Buffer.alloc(1024 * 1024, 'x');
let registry: RawRegistry;
let digest: string;

beforeEach(async () => {
  registry = await RawRegistry.start();
  digest = await registry.pushBlob('app', content);
});
afterEach(() => registry.stop());

describe('a fault on demand', () => {
  it('answers with a status and its headers', async () => {
    registry.faultRule = () => ({ status: 429, headers: { 'retry-after': '7' } });

    const answer = await registry.ask('GET', '/v2/');

    expect([answer.status, codesOf(answer), answer.headers.get('retry-after')]).toEqual([429, ['TOOMANYREQUESTS'], '7']);
  });

  it('hits only the requests that the rule chooses', async () => {
    registry.faultRule = ({ method, route }) => (method === 'HEAD' && route.kind === 'blob' ? { status: 503 } : undefined);

    expect((await registry.ask('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(503);
    expect((await registry.ask('GET', `/v2/app/blobs/${digest}`)).status).toBe(200);
  });

  it('serves a blob with a wrong byte and the right length', async () => {
    registry.faultRule = () => ({ corrupt: true });

    const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`);

    expect(answer.bytes).toHaveLength(content.byteLength);
    expect(answer.bytes.equals(content)).toBe(false);
    expect(answer.bytes.subarray(1).equals(content.subarray(1))).toBe(true);
  });

  it('breaks off a blob that is being served', async () => {
    registry.faultRule = () => ({ interrupt: { afterBytes: 1000, by: 'reset', of: 'answer' } });

    await expect(registry.ask('GET', `/v2/app/blobs/${digest}`)).rejects.toThrow();
  });

  it('breaks off a blob that is being sent, and nothing of it is kept', async () => {
    const path = await registry.openUpload('target');
    registry.faultRule = ({ method }) => (method === 'PUT' ? { interrupt: { afterBytes: 1000, by: 'reset', of: 'request' } } : undefined);

    await expect(registry.ask('PUT', `${path}?digest=${digest}`, { body: content })).rejects.toThrow();

    expect((await registry.ask('HEAD', `/v2/target/blobs/${digest}`)).status).toBe(404);
  });

  it('waits before it does anything', async () => {
    const order: string[] = [];
    registry.faultRule = ({ method }) => (method === 'HEAD' ? { delayMs: 100 } : undefined);

    await Promise.all([
      registry.ask('HEAD', '/v2/').then(() => order.push('delayed')),
      registry.ask('GET', '/v2/').then(() => order.push('at once')),
    ]);

    expect(order).toEqual(['at once', 'delayed']);
  });
});
