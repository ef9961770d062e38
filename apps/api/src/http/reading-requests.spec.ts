import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { issueApiKey } from '@waybill/access';
import { type ApiUnderTest, problemIn, startApi } from '../api-under-test.spec-helper.js';
import { promotionOf } from '../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';
const someKey = issueApiKey('01a20000-0000-7000-8000-000000000000').text;

describe('requests', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  describe('whose key', () => {
    const expired = () => api.keyWith([{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }], { expiresAt: new Date(0) });

    it.each<[string, () => Promise<Readonly<Record<string, string>>>]>([
      ['is missing', () => Promise.resolve({})],
      ['is empty', () => Promise.resolve({ authorization: '' })],
      ['is malformed', () => Promise.resolve({ authorization: 'Bearer secret' })],
      ['is unknown', () => Promise.resolve({ authorization: `Bearer ${someKey}` })],
      ['has another secret', () => Promise.resolve({ authorization: `Bearer ${api.adminKey.slice(0, -4)}AAAA` })],
      ['comes in another scheme', () => Promise.resolve({ authorization: `Basic ${Buffer.from(`x:${api.adminKey}`).toString('base64')}` })],
      ['comes twice', () => Promise.resolve({ authorization: `Bearer ${api.adminKey}, Bearer ${api.adminKey}` })],
      ['is expired', async () => ({ authorization: `Bearer ${await expired()}` })],
    ])('%s are not let in', async (_title, headersOf) => {
      const answer = await api.send('GET', path, { key: null, headers: await headersOf() });

      expect(problemIn(answer)).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="waybill"');
    });

    it('is invalid tell nothing of routes, bodies and headers', async () => {
      const bad: [string, string, string | undefined][] = [
        ['POST', path, '{'],
        ['POST', path, undefined],
        ['GET', `${path}?limit=0`, undefined],
        ['GET', '/api/v1/artifacts/nothing/provenance', undefined],
      ];

      for (const [method, target, body] of bad) {
        expect(problemIn(await api.send(method, target, { key: null, body }))).toMatchObject({ status: 401 });
      }
    });

    it('is invalid do not have their bodies read', async () => {
      const sending = request(`${api.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' } });
      sending.write('{"path":"');
      const [response] = (await once(sending, 'response')) as [{ statusCode: number; resume(): void }];
      sending.on('error', () => undefined);
      sending.destroy();

      expect(response.statusCode).toBe(401);
    });

    it('is written in lower case schemes and with spaces are let in', async () => {
      const answer = await api.send('GET', path, { key: null, headers: { authorization: `bearer  ${api.adminKey}` } });

      expect(answer.status).toBe(200);
    });
  });

  describe('whose body', () => {
    const send = (body: string, headers: Readonly<Record<string, string>> = {}) => api.post(path, body, { headers });

    it.each([
      ['{'],
      ['{"path":}'],
      ['"text"'],
      ['7'],
      ['null'],
      ['{"a":1} trailing'],
      ['\u0000'],
      [Buffer.from([0xff, 0xfe]).toString('latin1')],
    ])('is %j is called no JSON', async (body) => {
      const problem = problemIn(await send(body));

      expect(problem).toMatchObject({ status: 400, code: 'malformed-json' });
    });

    it('is no JSON is not repeated to whoever reads the answer or the log', async () => {
      const answer = await send('{"password":"hunter2",');

      expect(answer.text).not.toContain('hunter2');
      expect(api.log.join('')).not.toContain('hunter2');
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/octet-stream', 'nonsense', ''])(
      'comes as %j is not taken',
      async (type) => {
        const answer = await send(JSON.stringify(promotionOf()), { 'content-type': type });

        expect(problemIn(answer)).toMatchObject({ status: 415, code: 'unsupported-media-type' });
      },
    );

    it('comes in another character set or encoding is not taken', async () => {
      const ofSet = await send('{}', { 'content-type': 'application/json; charset=latin1' });
      const ofEncoding = await send('{}', { 'content-encoding': 'zstd' });

      for (const answer of [ofSet, ofEncoding]) expect(problemIn(answer)).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    });

    it('is not encoded as it says is malformed', async () => {
      expect(problemIn(await send('{}', { 'content-encoding': 'gzip' }))).toMatchObject({ status: 400, code: 'malformed-request' });
    });

    it('comes as JSON with parameters is taken', async () => {
      const answer = await send('{}', { 'content-type': 'Application/JSON; charset=UTF-8' });

      expect(problemIn(answer).code).toBe('request-invalid');
    });

    it('is larger than two mebibytes is not taken', async () => {
      const large = JSON.stringify({ reason: 'x'.repeat(2 * 1024 * 1024) });

      expect(problemIn(await send(large))).toMatchObject({ status: 413, code: 'body-too-large' });
    });

    it('grows too large when it is unpacked is not taken', async () => {
      const response = await fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${api.adminKey}`,
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          'idempotency-key': 'bomb',
        },
        body: gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)),
      });

      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: 'body-too-large' });
    });

    it('names what every object inherits changes nothing', async () => {
      const answer = await send('{"__proto__":{"path":"release"},"constructor":{"prototype":{"x":1}},"items":[]}');

      expect(problemIn(answer)).toMatchObject({ status: 422, code: 'request-invalid' });
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    });
  });

  describe('are logged', () => {
    it('with an id that the answer carries too, and never with what proves who asks', async () => {
      const created = await api.post('/api/v1/keys', {
        subject: 's',
        grants: [{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }],
      });
      const { key } = created.body as { key: string };
      const answers = [
        created,
        await api.send('GET', `${path}?cursor=c3VycHJpc2U`, { key }),
        await api.send('GET', '/api/v1/topology', { key: someKey }),
        await api.send('GET', `/api/v1/promotions/${api.adminKey}`),
      ];

      const log = api.log.join('');
      for (const { headers } of answers) expect(log).toContain(headers.get('x-request-id'));
      for (const secret of [key, api.adminKey, someKey]) {
        expect(log).not.toContain(secret);
        expect(log).not.toContain(secret.slice(-43));
      }
      expect(log.toLowerCase()).not.toContain('bearer');
    });

    it('with the request id of their problem document', async () => {
      const answer = await api.send('GET', '/nothing');

      expect(problemIn(answer).instance).toBe(`urn:uuid:${answer.headers.get('x-request-id') ?? ''}`);
    });
  });
});
