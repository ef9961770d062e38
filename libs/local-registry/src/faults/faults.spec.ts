import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@waybill/testing';
import type { Fault } from './fault.js';
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

  it.each(['reset', 'close'] as const)('breaks off a blob that is being served: %s', async (by) => {
    registry.faultRule = () => ({ interrupt: { afterBytes: 1000, by, of: 'answer' } });

    await expect(registry.ask('GET', `/v2/app/blobs/${digest}`)).rejects.toThrow();
  });

  it('gives as many bytes as it was told to before it closes', async () => {
    registry.faultRule = () => ({ interrupt: { afterBytes: 1000, by: 'close', of: 'answer' } });

    expect(await bodyUntilItEnds(`/v2/app/blobs/${digest}`)).toHaveLength(1000);
  });

  it('breaks off answers other than blobs', async () => {
    registry.faultRule = () => ({ interrupt: { afterBytes: 5, by: 'close', of: 'answer' } });

    expect((await bodyUntilItEnds('/v2/app/tags/list')).toString('utf8')).toBe('{"err');
  });

  it.each(['reset', 'close'] as const)('breaks off a blob that is being sent, and nothing of it is kept: %s', async (by) => {
    const path = await registry.openUpload('target');
    registry.faultRule = ({ method }) => (method === 'PUT' ? { interrupt: { afterBytes: 1000, by, of: 'request' } } : undefined);

    await expect(registry.ask('PUT', `${path}?digest=${digest}`, { body: content })).rejects.toThrow();

    expect((await registry.ask('HEAD', `/v2/target/blobs/${digest}`)).status).toBe(404);
    await until('the upload is given up', async () => (await registry.staged()).length === 0);
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

  it('sets and leaves out headers of an answer that is good otherwise', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`;
    registry.faultRule = () => ({ headers: { 'Docker-Content-Digest': wrong, etag: null, 'x-more': '1' } });

    const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`);

    expect([answer.status, answer.bytes.equals(content)]).toEqual([200, true]);
    expect(['docker-content-digest', 'etag', 'x-more'].map((name) => answer.headers.get(name))).toEqual([wrong, null, '1']);
  });

  it('sends the client elsewhere, and does nothing', async () => {
    registry.faultRule = ({ method }) => (method === 'DELETE' ? { redirectTo: 'http://127.0.0.1:1/elsewhere' } : undefined);

    const answer = await registry.ask('DELETE', `/v2/app/blobs/${digest}`);

    expect([answer.status, answer.headers.get('location')]).toEqual([307, 'http://127.0.0.1:1/elsewhere']);
    expect((await registry.ask('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(200);
  });

  it('may be planned instead of decided', async () => {
    registry.running.faults.replace([{ match: { kind: 'blob', method: 'GET' }, nth: 2, fault: { status: 500 } }]);

    const seen = [];
    for (const method of ['GET', 'HEAD', 'GET', 'GET']) seen.push((await registry.ask(method, `/v2/app/blobs/${digest}`)).status);

    expect(seen).toEqual([200, 200, 500, 200]);
  });
});

describe('a stall on demand', () => {
  const stalls: readonly (readonly [string, Fault])[] = [
    ['before the answer', { stall: true }],
    ['in the middle of the answer', { interrupt: { afterBytes: 1000, by: 'stall', of: 'answer' } }],
    ['before a far end of a delay', { delayMs: 3_600_000 }],
  ];

  it.each(stalls)('holds its request alone, and lets it go when the client leaves: %s', async (_when, fault) => {
    const before = timers();
    const { held, leave } = await hold(`/v2/app/blobs/${digest}`, fault);

    expect((await registry.ask('GET', '/v2/')).status).toBe(200);

    leave();
    await expect(held).rejects.toThrow();
    // `until` waits by a timer of its own.
    await until('no timer waits for the request', () => timers() <= before + 1);
  });

  it.each(stalls)('ends at once when the registry closes: %s', async (_when, fault) => {
    const { held } = await hold(`/v2/app/blobs/${digest}`, fault);
    const broken = expect(held).rejects.toThrow();

    await registry.restart();

    await broken;
  });

  it('holds an upload in the middle of its content, and nothing of it is kept', async () => {
    const path = await registry.openUpload('target');
    const fault: Fault = { interrupt: { afterBytes: 1000, by: 'stall', of: 'request' } };
    const { held } = await hold(`${path}?digest=${digest}`, fault, { method: 'PUT', body: content });
    const broken = expect(held).rejects.toThrow();

    expect((await registry.ask('GET', path)).status).toBe(204);
    await registry.restart();

    await broken;
    expect((await registry.ask('HEAD', `/v2/target/blobs/${digest}`)).status).toBe(404);
    expect(await registry.staged()).toEqual([]);
  });

  /** Asks with a fault that holds the request; resolves once the registry has seen it. */
  async function hold(path: string, fault: Fault, init: RequestInit = {}) {
    const leaving = new AbortController();
    const seen = new Promise<void>((resolve) => {
      registry.faultRule = () => {
        registry.faultRule = undefined;
        resolve();
        return fault;
      };
    });
    const answer = fetch(new URL(path, registry.url), { ...init, signal: leaving.signal });
    const held = answer.then((answered) => answered.arrayBuffer());
    held.catch(() => undefined); // it may fail before anybody looks
    await seen;
    return { held, leave: () => leaving.abort() };
  }
});

/** Timers that would keep the process from ending. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** What came of a body before its connection closed in order. */
async function bodyUntilItEnds(path: string): Promise<Buffer> {
  const socket = connect(registry.port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  const whole = await buffer(socket);
  return whole.subarray(whole.indexOf('\r\n\r\n') + 4);
}
