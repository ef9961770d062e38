import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { codesOf, manifestText, RawRegistry, storageKinds } from '../raw-http.spec-helper.js';

const absent = `sha256:${'0'.repeat(64)}`;

describe.each(storageKinds)('deletes over HTTP, with %s', (kind) => {
  let registry: RawRegistry;

  beforeAll(async () => {
    registry = await RawRegistry.start(kind);
  });
  afterAll(() => registry.stop());

  const statusOf = async (method: string, path: string) => (await registry.ask(method, path)).status;
  const tagsOf = async (repository: string) => {
    const { bytes } = await registry.ask('GET', `/v2/${repository}/tags/list`);
    return (JSON.parse(bytes.toString('utf8')) as { tags: readonly string[] }).tags;
  };

  it('of a tag leave the manifest and its other tags', async () => {
    const { text, digest } = await registry.pushImage('untagged', '1.0');
    await registry.putManifest('untagged', 'latest', text);

    expect(await statusOf('DELETE', '/v2/untagged/manifests/latest')).toBe(202);

    expect(await statusOf('GET', '/v2/untagged/manifests/latest')).toBe(404);
    expect(await statusOf('GET', `/v2/untagged/manifests/${digest}`)).toBe(200);
    expect(await tagsOf('untagged')).toEqual(['1.0']);
  });

  it('of the last tag leave the manifest', async () => {
    const { digest } = await registry.pushImage('last', '1.0');

    await registry.ask('DELETE', '/v2/last/manifests/1.0');

    expect(await statusOf('GET', `/v2/last/manifests/${digest}`)).toBe(200);
    expect(await tagsOf('last')).toEqual([]);
  });

  it('of a manifest take every tag that names it, and no other', async () => {
    const { text, digest } = await registry.pushImage('app', '1.0', 'one');
    await registry.putManifest('app', 'latest', text);
    const other = await registry.pushImage('app', '2.0', 'two');

    expect(await statusOf('DELETE', `/v2/app/manifests/${digest}`)).toBe(202);

    for (const reference of [digest, '1.0', 'latest']) expect(await statusOf('HEAD', `/v2/app/manifests/${reference}`)).toBe(404);
    expect(await statusOf('HEAD', `/v2/app/manifests/${other.digest}`)).toBe(200);
    expect(await tagsOf('app')).toEqual(['2.0']);
  });

  it('of a manifest reach one repository', async () => {
    const { digest } = await registry.pushImage('here', '1.0');
    await registry.pushImage('there', '1.0');

    await registry.ask('DELETE', `/v2/here/manifests/${digest}`);

    expect(await statusOf('GET', '/v2/there/manifests/1.0')).toBe(200);
  });

  it('of a manifest let it be pushed again, without the tags it had', async () => {
    const { text, digest } = await registry.pushImage('again', '1.0');
    await registry.ask('DELETE', `/v2/again/manifests/${digest}`);

    await registry.putManifest('again', '2.0', text);

    expect(await tagsOf('again')).toEqual(['2.0']);
  });

  it('of every manifest take the repository out of the catalogue, and leave its tags empty', async () => {
    const { digest } = await registry.pushImage('emptied', '1.0');

    await registry.ask('DELETE', `/v2/emptied/manifests/${digest}`);

    expect((await registry.ask('GET', '/v2/_catalog')).bytes.toString('utf8')).not.toContain('"emptied"');
    expect(await tagsOf('emptied')).toEqual([]);
  });

  it('of a blob hide it, and manifests that need it are refused', async () => {
    const digest = await registry.pushBlob('blobs', 'content');

    expect(await statusOf('DELETE', `/v2/blobs/blobs/${digest}`)).toBe(202);

    expect(await statusOf('GET', `/v2/blobs/blobs/${digest}`)).toBe(404);
    expect(codesOf(await registry.putManifest('blobs', 'x', manifestText(digest)))).toEqual(['MANIFEST_BLOB_UNKNOWN']);
  });

  it('of a blob reach one repository, and not mounts of it', async () => {
    const digest = await registry.pushBlob('source', 'mounted');
    await registry.ask('POST', `/v2/target/blobs/uploads/?mount=${digest}&from=source`);

    await registry.ask('DELETE', `/v2/source/blobs/${digest}`);

    expect(await statusOf('GET', `/v2/target/blobs/${digest}`)).toBe(200);
    expect(await statusOf('POST', `/v2/third/blobs/uploads/?mount=${digest}&from=source`)).toBe(202);
  });

  it('of the last link leave nothing to be mounted', async () => {
    const digest = await registry.pushBlob('only', 'nobody has this');

    await registry.ask('DELETE', `/v2/only/blobs/${digest}`);

    expect(await statusOf('POST', `/v2/third/blobs/uploads/?mount=${digest}`)).toBe(202);
  });

  it.each([
    [`/v2/app/manifests/${absent}`, 'MANIFEST_UNKNOWN'],
    ['/v2/app/manifests/nothing', 'MANIFEST_UNKNOWN'],
    ['/v2/nobody/manifests/1.0', 'MANIFEST_UNKNOWN'],
    [`/v2/app/blobs/${absent}`, 'BLOB_UNKNOWN'],
  ])('of what is not there are refused: %s', async (path, code) => {
    const answer = await registry.ask('DELETE', path);

    expect([answer.status, codesOf(answer)]).toEqual([404, [code]]);
  });

  it('and pushes of one manifest leave it whole or gone', async () => {
    const { text, digest } = await registry.pushImage('race', 'kept');

    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0 ? registry.putManifest('race', `t${index}`, text) : registry.ask('DELETE', `/v2/race/manifests/${digest}`),
      ),
    );

    for (const tag of await tagsOf('race')) expect(await statusOf('GET', `/v2/race/manifests/${tag}`)).toBe(200);
  });
});
