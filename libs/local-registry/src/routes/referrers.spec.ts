import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, mediaType } from '@waybill/oci-model';
import { type Answer, RawRegistry, storageKinds } from '../raw-http.spec-helper.js';

const absent = `sha256:${'0'.repeat(64)}`;
const sbom = 'application/vnd.example.sbom.v1';
const signature = 'application/vnd.example.signature.v1';

interface Listed {
  readonly digest: string;
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
}

const listedIn = ({ bytes }: Answer) => (JSON.parse(bytes.toString('utf8')) as { manifests: readonly Listed[] }).manifests;
const digestsIn = (answer: Answer) => listedIn(answer).map(({ digest }) => digest);
const nextOf = (answer: Answer) => /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];

describe.each(storageKinds)('referrers over HTTP, with %s', (kind) => {
  let registry: RawRegistry;
  let config: string;

  beforeAll(async () => {
    registry = await RawRegistry.start(kind);
  });
  afterAll(() => registry.stop());

  interface Refer {
    readonly artifactType?: string;
    readonly annotations?: Record<string, string>;
    readonly configType?: string;
  }

  /** Pushes a manifest with a subject, and gives the answer and its digest. */
  async function refer(repository: string, subject: string, { artifactType, annotations, configType }: Refer = {}) {
    config = await registry.pushBlob(repository, '{}');
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      artifactType,
      config: { mediaType: configType ?? 'application/vnd.oci.empty.v1+json', digest: config, size: 2 },
      layers: [],
      subject: { mediaType: mediaType.ociManifest, digest: subject, size: 7 },
      annotations,
    });
    const digest = digestOf(Buffer.from(text));
    return { digest, answer: await registry.putManifest(repository, digest, text) };
  }

  const list = (repository: string, digest: string, query = '') => registry.ask('GET', `/v2/${repository}/referrers/${digest}${query}`);

  it('are listed with type, size, artifact type and annotations, and told of when they are put', async () => {
    const { digest: subject } = await registry.pushImage('listed', '1.0');

    const { digest, answer } = await refer('listed', subject, { artifactType: sbom, annotations: { 'org.example.made': 'now' } });

    expect([answer.status, answer.headers.get('oci-subject')]).toEqual([201, subject]);
    const listed = await list('listed', subject);
    expect([listed.status, listed.headers.get('content-type'), listed.headers.get('oci-filters-applied')]).toEqual([
      200,
      mediaType.ociIndex,
      null,
    ]);
    expect(JSON.parse(listed.bytes.toString('utf8'))).toEqual({
      schemaVersion: 2,
      mediaType: mediaType.ociIndex,
      manifests: [
        {
          mediaType: mediaType.ociManifest,
          digest,
          size: expect.any(Number),
          artifactType: sbom,
          annotations: { 'org.example.made': 'now' },
        },
      ],
    });
  });

  it('take the type of the config when they name none', async () => {
    await refer('typed', absent, { configType: signature });
    await refer('typed', absent, { configType: sbom, artifactType: '' });

    expect(
      listedIn(await list('typed', absent))
        .map(({ artifactType }) => artifactType)
        .toSorted(),
    ).toEqual([sbom, signature]);
  });

  it('may be indexes, which have no type but their own', async () => {
    const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [] };
    const subject = { mediaType: mediaType.ociManifest, digest: absent, size: 7 };

    const put = await registry.putManifest('indexes', 'x', JSON.stringify({ ...index, subject }), mediaType.ociIndex);

    expect(put.headers.get('oci-subject')).toBe(absent);
    expect(listedIn(await list('indexes', absent))).toEqual([
      { mediaType: mediaType.ociIndex, digest: put.headers.get('docker-content-digest'), size: expect.any(Number) },
    ]);
  });

  it('are none, and no error, for what nothing refers to', async () => {
    for (const repository of ['listed', 'nobody']) {
      const answer = await list(repository, `sha256:${'9'.repeat(64)}`);

      expect([answer.status, listedIn(answer)]).toEqual([200, []]);
    }
    expect((await list('listed', 'latest')).status).toBe(400);
  });

  it('wait for a subject that is not there yet, and stay in their own repository', async () => {
    const { digest } = await refer('early', absent);

    expect(digestsIn(await list('early', absent))).toEqual([digest]);
    expect(digestsIn(await list('late', absent))).toEqual([]);
  });

  it('are filtered by type, and the answer says so', async () => {
    const { digest } = await refer('filtered', absent, { artifactType: signature });
    await refer('filtered', absent, { artifactType: sbom });

    const answer = await list('filtered', absent, `?artifactType=${encodeURIComponent(signature)}`);

    expect([digestsIn(answer), answer.headers.get('oci-filters-applied')]).toEqual([[digest], 'artifactType']);
    expect(digestsIn(await list('filtered', absent, '?artifactType=application/none'))).toEqual([]);
  });

  it('are named once, however often they are put', async () => {
    const { digest } = await refer('again', absent);
    await refer('again', absent);

    expect(digestsIn(await list('again', absent))).toEqual([digest]);
  });

  it('come in pages that lead to one another and keep the filter', async () => {
    const pushed: string[] = [];
    for (const made of ['1', '2', '3', '4', '5']) {
      const artifactType = made === '3' ? sbom : signature;
      const { digest } = await refer('pages', absent, { artifactType, annotations: { made } });
      if (artifactType === signature) pushed.push(digest);
    }

    const seen: string[] = [];
    let next: string | undefined = `/v2/pages/referrers/${absent}?n=2&artifactType=${encodeURIComponent(signature)}`;
    while (next !== undefined) {
      const answer: Answer = await registry.ask('GET', next);
      expect(answer.headers.get('oci-filters-applied')).toBe('artifactType');
      seen.push(...digestsIn(answer));
      next = nextOf(answer);
    }

    expect(seen).toEqual(pushed.toSorted());
  });

  it('never make an answer larger than a manifest may be', async () => {
    const large = 'x'.repeat(1.5 * 1024 * 1024);
    for (const made of ['1', '2', '3', '4']) await refer('large', absent, { annotations: { made, large } });

    const first = await list('large', absent);
    const second = await registry.ask('GET', nextOf(first) ?? '');

    expect(first.bytes.byteLength).toBeLessThan(4.5 * 1024 * 1024);
    expect([...digestsIn(first), ...digestsIn(second)]).toHaveLength(4);
    expect(nextOf(second)).toBeUndefined();
  });

  it('are gone from the list when they are deleted, and stay when their subject is', async () => {
    const { digest: subject } = await registry.pushImage('deleted', '1.0');
    const { digest: kept } = await refer('deleted', subject, { artifactType: sbom });
    const { digest: gone } = await refer('deleted', subject, { artifactType: signature });

    await registry.ask('DELETE', `/v2/deleted/manifests/${gone}`);
    await registry.ask('DELETE', `/v2/deleted/manifests/${subject}`);

    expect(digestsIn(await list('deleted', subject))).toEqual([kept]);
  });
});
