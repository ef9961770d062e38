// What the conformance suite of distribution-spec v1.1.1 asks for and no other spec here does.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, mediaType } from '@waybill/oci-model';
import { codesOf, RawRegistry, storageKinds } from './raw-http.spec-helper.js';

const config = JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }, undefined, '\t');
const configDescriptor = { mediaType: mediaType.ociConfig, digest: digestOf(Buffer.from(config)), size: config.length };

describe.each(storageKinds)('what the conformance suite demands, with %s', (kind) => {
  let registry: RawRegistry;

  beforeAll(async () => {
    registry = await RawRegistry.start(kind);
  });
  afterAll(() => registry.stop());

  const statusOf = async (method: string, path: string) => (await registry.ask(method, path)).status;
  const manifestPath = (repository: string, reference: string) => `/v2/${repository}/manifests/${reference}`;

  it.each(['HEAD', 'GET', 'DELETE'])('is a 404 to %s of a manifest under a name that can be none', async (method) => {
    expect(await statusOf(method, manifestPath('app', '.no_such_manifest'))).toBe(404);
  });

  it('is a 400 with its code to PUT of one', async () => {
    const answer = await registry.putManifest('app', '.no_such_manifest', '{}');

    expect([answer.status, codesOf(answer)]).toEqual([400, ['MANIFEST_INVALID']]);
  });

  it('is an error with its code to GET of a malformed digest, also when the request has a body', async () => {
    const asked = request(new URL(manifestPath('app', 'sha256:malformed'), registry.url), { method: 'GET' }).end('no manifest');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];

    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(await text(answer))).toEqual({ errors: [expect.objectContaining({ code: 'DIGEST_INVALID' })] });
  });

  it('is a manifest with embedded content and members of the future, kept as it came', async () => {
    await registry.pushBlob('future', config);
    const embedded = { ...configDescriptor, data: Buffer.from(config).toString('base64'), newUnspecifiedField: 'aGVsbG8=' };
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociManifest, config: embedded, layers: [] }, undefined, '\t');

    expect((await registry.putManifest('future', '1.0', manifest)).status).toBe(201);
    expect((await registry.ask('GET', manifestPath('future', '1.0'))).bytes.toString('utf8')).toBe(manifest);
  });

  it('is a manifest without layers that does not say what it is', async () => {
    await registry.pushBlob('bare', config);

    expect(
      (await registry.putManifest('bare', '1.0', JSON.stringify({ schemaVersion: 2, config: configDescriptor, layers: [] }))).status,
    ).toBe(201);
    expect((await registry.ask('HEAD', manifestPath('bare', '1.0'))).headers.get('content-type')).toBe(mediaType.ociManifest);
  });

  it('is to refuse a chunk that came already, say where the upload is, and go on from there', async () => {
    const [first, second] = ['first half, ', 'second half'];
    const digest = digestOf(Buffer.from(first + second));
    const opened = await registry.openUpload('chunks');
    const firstChunk = { body: first, headers: { 'content-range': `0-${first.length - 1}` } };
    await registry.ask('PATCH', opened, firstChunk);

    const again = await registry.ask('PATCH', opened, firstChunk);
    const where = await registry.ask('GET', opened);
    const rest = { body: second, headers: { 'content-range': `${first.length}-${first.length + second.length - 1}` } };
    const next = await registry.ask('PATCH', where.headers.get('location') ?? '', rest);
    const put = await registry.ask('PUT', `${next.headers.get('location')}?digest=${digest}`);

    expect([again.status, where.status, where.headers.get('range')]).toEqual([416, 204, `0-${first.length - 1}`]);
    expect([next.status, put.status]).toEqual([202, 201]);
    expect((await registry.ask('GET', `/v2/chunks/blobs/${digest}`)).bytes.toString('utf8')).toBe(first + second);
  });

  it.each([
    ['before', true],
    ['after', false],
  ])('is to delete manifests %s their blobs', async (_when, manifestsFirst) => {
    const repository = manifestsFirst ? 'manifests-first' : 'blobs-first';
    const { text: pushed, digest } = await registry.pushImage(repository, 'kept');
    const blobs = JSON.parse(pushed) as { config: { digest: string }; layers: { digest: string }[] };
    const manifestPaths = [manifestPath(repository, 'kept'), manifestPath(repository, digest)];
    const blobPaths = [blobs.config, ...blobs.layers].map((blob) => `/v2/${repository}/blobs/${blob.digest}`);
    const paths = manifestsFirst ? [...manifestPaths, ...blobPaths] : [...blobPaths, ...manifestPaths];

    for (const path of paths) expect([path, await statusOf('DELETE', path)]).toEqual([path, 202]);
    for (const path of paths) expect([path, await statusOf('GET', path)]).toEqual([path, 404]);
    expect(JSON.parse((await registry.ask('GET', `/v2/${repository}/tags/list`)).bytes.toString('utf8'))).toEqual({
      name: repository,
      tags: [],
    });
  });
});
