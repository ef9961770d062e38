import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import { until } from '@waybill/testing';
import { codesOf, RawRegistry, storageKinds } from '../raw-http.spec-helper.js';

const content = 'some content';
const digest = digestOf(Buffer.from(content));
describe.each(storageKinds)('uploads over HTTP, with %s', (kind) => {
  let registry: RawRegistry;

  beforeEach(async () => {
    registry = await RawRegistry.start(kind);
  });
  afterEach(() => registry.stop());

  const isThere = async (repository: string) => (await registry.ask('HEAD', `/v2/${repository}/blobs/${digest}`)).status === 200;

  /** Sends a part of a body and then breaks the connection. */
  async function sendHalf(method: string, path: string): Promise<void> {
    const broken = request(new URL(path, registry.url), { method, headers: { 'content-length': String(content.length) } });
    broken.on('error', () => undefined);
    broken.write(content.slice(0, 5));
    await until('the registry has seen it', async () => (await registry.staged()).length > 0);
    broken.destroy();
  }

  describe('an upload', () => {
    it('is a POST and one PUT', async () => {
      const put = await registry.ask('PUT', `${await registry.openUpload('put')}?digest=${digest}`, { body: content });

      expect([put.status, put.headers.get('location'), put.headers.get('docker-content-digest')]).toEqual([
        201,
        `/v2/put/blobs/${digest}`,
        digest,
      ]);
      expect(await isThere('put')).toBe(true);
    });

    it('is one POST when that names the digest', async () => {
      const post = await registry.ask('POST', `/v2/post/blobs/uploads/?digest=${digest}`, { body: content });

      expect(post.status).toBe(201);
      expect(await isThere('post')).toBe(true);
    });

    it('is chunks in order and a PUT that closes it', async () => {
      const path = await registry.openUpload('chunks');
      const first = await registry.ask('PATCH', path, { body: content.slice(0, 4), headers: { 'content-range': '0-3' } });
      const status = await registry.ask('GET', path);
      const put = await registry.ask('PUT', `${path}?digest=${digest}`, { body: content.slice(4), headers: { 'content-range': '4-11' } });

      expect([first.status, first.headers.get('range')]).toEqual([202, '0-3']);
      expect([status.status, status.headers.get('range'), status.headers.get('location')]).toEqual([204, '0-3', path]);
      expect(put.status).toBe(201);
      expect(await isThere('chunks')).toBe(true);
    });

    it('takes the whole content by PATCH and an empty PUT', async () => {
      const path = await registry.openUpload('patch');
      await registry.ask('PATCH', path, { body: content });

      expect((await registry.ask('PUT', `${path}?digest=${digest}`)).status).toBe(201);
      expect(await isThere('patch')).toBe(true);
    });

    it('hashes with the algorithm of the digest', async () => {
      const sha512 = `sha512:${createHash('sha512').update(content).digest('hex')}`;

      expect((await registry.ask('POST', `/v2/app/blobs/uploads/?digest=${sha512}`, { body: content })).status).toBe(201);
      expect((await registry.ask('GET', `/v2/app/blobs/${sha512}`)).bytes.toString('utf8')).toBe(content);
    });

    it('refuses a chunk out of order and says where to go on', async () => {
      const path = await registry.openUpload('order');
      await registry.ask('PATCH', path, { body: '1234' });

      const answer = await registry.ask('PATCH', path, { body: '9', headers: { 'content-range': '8-8' } });

      expect([answer.status, answer.headers.get('range'), answer.headers.get('location')]).toEqual([416, '0-3', path]);
    });

    it('ends and leaves nothing when the content has another digest', async () => {
      const path = await registry.openUpload('wrong');

      const answer = await registry.ask('PUT', `${path}?digest=${digest}`, { body: 'something else' });

      expect([answer.status, codesOf(answer)]).toEqual([400, ['DIGEST_INVALID']]);
      expect(await isThere('wrong')).toBe(false);
      expect((await registry.ask('GET', path)).status).toBe(404);
      expect(await registry.staged()).toEqual([]);
    });

    it.each(['', '?digest=', '?digest=sha256:abc', '?digest=md5:d41d8cd98f00b204e9800998ecf8427e'])(
      'wants a digest it knows: %s',
      async (query) => {
        const path = await registry.openUpload('none');

        const answer = await registry.ask('PUT', `${path}${query}`, { body: content });

        expect([answer.status, codesOf(answer)]).toEqual([400, ['DIGEST_INVALID']]);
      },
    );

    it('is forgotten when it is cancelled', async () => {
      const path = await registry.openUpload('cancelled');
      await registry.ask('PATCH', path, { body: content });

      expect((await registry.ask('DELETE', path)).status).toBe(204);
      expect(codesOf(await registry.ask('GET', path))).toEqual(['BLOB_UPLOAD_UNKNOWN']);
      expect(await registry.staged()).toEqual([]);
    });

    it('belongs to one repository', async () => {
      const path = await registry.openUpload('mine');

      expect((await registry.ask('GET', path.replace('/mine/', '/yours/'))).status).toBe(404);
    });
  });

  describe('an upload that breaks off', () => {
    it('leaves nothing when it was a PUT', async () => {
      const path = await registry.openUpload('broken');

      await sendHalf('PUT', `${path}?digest=${digest}`);

      await until('the registry has seen it', async () => (await registry.staged()).length === 0);
      expect((await registry.ask('GET', path)).status).toBe(404);
      expect(await isThere('broken')).toBe(false);
    });

    it('is as before when it was a PATCH, and goes on from there', async () => {
      const path = await registry.openUpload('resumed');
      await registry.ask('PATCH', path, { body: content.slice(0, 3) });

      await sendHalf('PATCH', path);

      await until('the registry has seen it', async () => (await registry.ask('GET', path)).headers.get('range') === '0-2');
      await until(
        'the registry has seen it',
        async () => (await registry.ask('PUT', `${path}?digest=${digest}`, { body: content.slice(3) })).status === 201,
      );
      expect(await isThere('resumed')).toBe(true);
    });

    it('is used by one request at a time', async () => {
      const path = await registry.openUpload('busy');
      const slow = request(new URL(path, registry.url), { method: 'PATCH' });
      slow.on('error', () => undefined);
      slow.write('12');
      await until('the registry has seen it', async () => (await registry.staged()).length === 1);

      const second = await registry.ask('PATCH', path, { body: '34' });

      expect([second.status, codesOf(second)]).toEqual([409, ['BLOB_UPLOAD_INVALID']]);
      slow.destroy();
      await until('the registry has seen it', async () => (await registry.ask('DELETE', path)).status === 204);
    });
  });
});
