import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, maxManifestBytes, mediaType } from '@waybill/oci-model';
import { codesOf, errorsOf, manifestText, RawRegistry, storageKinds } from '../raw-http.spec-helper.js';

const absent = `sha256:${'0'.repeat(64)}`;
describe.each(storageKinds)('manifests over HTTP, with %s', (kind) => {
  let registry: RawRegistry;

  beforeAll(async () => {
    registry = await RawRegistry.start(kind);
  });
  afterAll(() => registry.stop());

  describe('a manifest', () => {
    it('comes back by tag and by digest with the bytes and the type it was pushed with', async () => {
      const { text, digest } = await registry.pushImage('app', '1.0');

      for (const reference of ['1.0', digest]) {
        const answer = await registry.ask('GET', `/v2/app/manifests/${reference}`);

        expect(answer.status).toBe(200);
        expect(answer.bytes.toString('utf8')).toBe(text);
        expect(answer.headers.get('content-type')).toBe(mediaType.ociManifest);
        expect(answer.headers.get('docker-content-digest')).toBe(digest);
      }
    });

    it('answers HEAD with the headers of GET and no body', async () => {
      const { text, digest } = await registry.pushImage('app', 'headed');

      const answer = await registry.ask('HEAD', '/v2/app/manifests/headed');

      expect(answer.status).toBe(200);
      expect(answer.bytes).toHaveLength(0);
      expect(answer.headers.get('content-length')).toBe(String(text.length));
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
    });

    it('keeps white space and key order, and says its digest when it is put', async () => {
      const config = await registry.pushBlob('app', '{}');
      const text = `${manifestText(config).replaceAll('":', '" :  ')}\n\n`;

      const put = await registry.putManifest('app', 'spaced', text);

      expect(put.status).toBe(201);
      expect(put.headers.get('docker-content-digest')).toBe(digestOf(Buffer.from(text)));
      expect(put.headers.get('location')).toBe(`/v2/app/manifests/${digestOf(Buffer.from(text))}`);
      expect((await registry.ask('GET', '/v2/app/manifests/spaced')).bytes.toString('utf8')).toBe(text);
    });

    it('is put by digest without a tag', async () => {
      const text = manifestText(await registry.pushBlob('untagged', '{}'));

      expect((await registry.putManifest('untagged', digestOf(Buffer.from(text)), text)).status).toBe(201);
      expect(JSON.parse((await registry.ask('GET', '/v2/untagged/tags/list')).bytes.toString('utf8'))).toEqual({
        name: 'untagged',
        tags: [],
      });
    });

    it('moves a tag to what was put last', async () => {
      await registry.pushImage('moving', 'latest', 'first');
      const second = await registry.pushImage('moving', 'latest', 'second');

      const answer = await registry.ask('HEAD', '/v2/moving/manifests/latest');

      expect(answer.headers.get('docker-content-digest')).toBe(second.digest);
    });

    it('keeps tags that differ by case apart', async () => {
      const lower = await registry.pushImage('cased', 'v1', 'lower');
      const upper = await registry.pushImage('cased', 'V1', 'upper');

      expect((await registry.ask('HEAD', '/v2/cased/manifests/v1')).headers.get('docker-content-digest')).toBe(lower.digest);
      expect((await registry.ask('HEAD', '/v2/cased/manifests/V1')).headers.get('docker-content-digest')).toBe(upper.digest);
    });

    it('is unknown under another tag, digest or repository', async () => {
      const { digest } = await registry.pushImage('app', 'known');

      for (const path of ['/v2/app/manifests/other', `/v2/app/manifests/${absent}`, `/v2/stranger/manifests/${digest}`]) {
        const answer = await registry.ask('GET', path);

        expect([answer.status, codesOf(answer)]).toEqual([404, ['MANIFEST_UNKNOWN']]);
      }
    });

    it('is refused with one error for each blob that is missing', async () => {
      const other = `sha256:${'1'.repeat(64)}`;

      const answer = await registry.putManifest('app', 'hollow', manifestText(absent, other));

      expect(answer.status).toBe(400);
      expect(errorsOf(answer)).toEqual([
        expect.objectContaining({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest: absent } }),
        expect.objectContaining({ code: 'MANIFEST_BLOB_UNKNOWN', detail: { digest: other } }),
      ]);
      expect((await registry.ask('HEAD', '/v2/app/manifests/hollow')).status).toBe(404);
    });

    it('is refused when another repository alone has its blobs', async () => {
      const text = manifestText(await registry.pushBlob('owner', '{"owned":true}'));

      expect(codesOf(await registry.putManifest('thief', 'x', text))).toEqual(['MANIFEST_BLOB_UNKNOWN']);
    });

    it('is taken when a layer that is held by reference only is absent', async () => {
      const config = await registry.pushBlob('windows', '{}');
      const text = manifestText(config, absent).replace(
        mediaType.ociLayerGzip,
        'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      );

      expect((await registry.putManifest('windows', 'ltsc', text)).status).toBe(201);
    });
  });

  describe('an index', () => {
    const indexText = (digest: string) =>
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaType.ociIndex,
        manifests: [{ mediaType: mediaType.ociManifest, digest, size: 1 }],
      });

    it('is taken when its children are there', async () => {
      const { digest } = await registry.pushImage('multi', 'amd64');

      expect((await registry.putManifest('multi', 'all', indexText(digest), mediaType.ociIndex)).status).toBe(201);
      expect((await registry.ask('GET', '/v2/multi/manifests/all')).headers.get('content-type')).toBe(mediaType.ociIndex);
    });

    it('is refused when a child is missing', async () => {
      const answer = await registry.putManifest('multi', 'broken', indexText(absent), mediaType.ociIndex);

      expect([answer.status, codesOf(answer)]).toEqual([400, ['MANIFEST_BLOB_UNKNOWN']]);
    });
  });

  describe('a manifest that is none', () => {
    const good = JSON.stringify({ schemaVersion: 2, config: { mediaType: mediaType.ociConfig, digest: absent, size: 0 }, layers: [] });

    it.each([
      ['not JSON', '{', mediaType.ociManifest],
      ['no object', '[]', mediaType.ociManifest],
      ['without layers', '{"schemaVersion":2}', mediaType.ociManifest],
      ['of a type that is none', good, 'application/json'],
      ['of another type inside', good.replace('{', `{"mediaType":"${mediaType.ociIndex}",`), mediaType.ociManifest],
      ['schema 1', '{"schemaVersion":1}', mediaType.dockerSchema1],
      ['empty', '', mediaType.ociManifest],
      ['with a digest that climbs', good.replace(absent, 'sha256:../../../../etc/passwd'), mediaType.ociManifest],
    ])('is refused: %s', async (_what, text, type) => {
      const answer = await registry.putManifest('app', 'bad', text, type);

      expect([answer.status, codesOf(answer)]).toEqual([400, ['MANIFEST_INVALID']]);
    });

    it('is refused under a digest that is not its own', async () => {
      const answer = await registry.putManifest('app', absent, good);

      expect([answer.status, codesOf(answer)]).toEqual([400, ['DIGEST_INVALID']]);
    });

    it('is refused when it is larger than 4 MiB, and the connection stays usable', async () => {
      const answer = await registry.putManifest('app', 'huge', `${good}${' '.repeat(maxManifestBytes)}`);

      expect([answer.status, codesOf(answer)]).toEqual([413, ['SIZE_INVALID']]);
      expect((await registry.ask('GET', '/v2/')).status).toBe(200);
    });
  });
});
