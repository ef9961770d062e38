import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import { codesOf, RawRegistry, storageKinds } from '../raw-http.spec-helper.js';

const content = Buffer.from('0123456789');
const absent = `sha256:${'0'.repeat(64)}`;
describe.each(storageKinds)('blobs over HTTP, with %s', (kind) => {
  let registry: RawRegistry;
  let digest: string;

  beforeAll(async () => {
    registry = await RawRegistry.start(kind);
    digest = await registry.pushBlob('app', content);
  });
  afterAll(() => registry.stop());

  describe('a blob', () => {
    it('comes back whole', async () => {
      const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`);

      expect(answer.status).toBe(200);
      expect(answer.bytes).toEqual(content);
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
      expect(answer.headers.get('accept-ranges')).toBe('bytes');
    });

    it('answers HEAD with its size and no body', async () => {
      const answer = await registry.ask('HEAD', `/v2/app/blobs/${digest}`);

      expect([answer.status, answer.headers.get('content-length'), answer.bytes.byteLength]).toEqual([200, '10', 0]);
    });

    it.each([
      ['bytes=2-4', '234', 'bytes 2-4/10'],
      ['bytes=-2', '89', 'bytes 8-9/10'],
      ['bytes=0-0', '0', 'bytes 0-0/10'],
    ])('gives the range %s', async (range, bytes, contentRange) => {
      const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`, { headers: { range } });

      expect([answer.status, answer.bytes.toString('utf8'), answer.headers.get('content-range')]).toEqual([206, bytes, contentRange]);
    });

    it('says its size when a range lies outside', async () => {
      const answer = await registry.ask('GET', `/v2/app/blobs/${digest}`, { headers: { range: 'bytes=10-' } });

      expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */10']);
    });

    it.each(['GET', 'HEAD'])('is unknown to %s in a repository that it was not pushed to', async (method) => {
      expect((await registry.ask(method, `/v2/stranger/blobs/${digest}`)).status).toBe(404);
      expect((await registry.ask(method, `/v2/app/blobs/${absent}`)).status).toBe(404);
    });

    it('may be empty', async () => {
      const empty = await registry.pushBlob('app', '');

      const answer = await registry.ask('GET', `/v2/app/blobs/${empty}`);

      expect([answer.status, answer.bytes.byteLength]).toEqual([200, 0]);
    });
  });

  describe('mounting', () => {
    const mount = (query: string) => registry.ask('POST', `/v2/mounted/blobs/uploads/?${query}`);

    it('makes a blob of another repository visible', async () => {
      const answer = await mount(`mount=${digest}&from=app`);

      expect([answer.status, answer.headers.get('location')]).toEqual([201, `/v2/mounted/blobs/${digest}`]);
      expect((await registry.ask('GET', `/v2/mounted/blobs/${digest}`)).bytes).toEqual(content);
    });

    it.each([
      ['the blob is unknown there', `mount=${absent}&from=app`],
      ['the repository is unknown', `mount=${digestOf(content)}&from=nobody`],
      ['no repository is named and none has it', `mount=${absent}`],
      ['the repository is no name', `mount=${digestOf(content)}&from=../app`],
      ['the digest is none', 'mount=latest&from=app'],
    ])('opens an upload session when %s', async (_when, query) => {
      const answer = await mount(query);

      expect(answer.status).toBe(202);
      const put = await registry.ask('PUT', `${answer.headers.get('location')}?digest=${digestOf(Buffer.from('x'))}`, { body: 'x' });
      expect(put.status).toBe(201);
    });
  });

  describe('what is not offered', () => {
    it('is named with the methods that are', async () => {
      const answer = await registry.ask('PATCH', `/v2/app/blobs/${digest}`);

      expect([answer.status, codesOf(answer), answer.headers.get('allow')]).toEqual([405, ['UNSUPPORTED'], 'GET, HEAD, DELETE']);
    });

    it('is a 404 where there is no endpoint', async () => {
      expect((await registry.ask('GET', '/v2/app/elsewhere')).status).toBe(404);
    });

    it('refuses a method that only an object has', async () => {
      expect((await registry.ask('OPTIONS', '/v2/')).status).toBe(405);
    });
  });
});
