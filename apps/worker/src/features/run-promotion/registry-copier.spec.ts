import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  descriptorOf,
  type Digest,
  digestOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
  parseRepositoryName,
  parseTag,
} from '@waybill/oci-model';
import type { CopyOptions, CopyOutcome, ItemRun, TargetRun } from '@waybill/promotion';
import { RegistryClients } from '@waybill/registry-clients';
import { blobsOf, buildImage, buildIndex, type BuiltContent, pushBuilt } from '@waybill/testing';
import { type PlacedRegistry, type Topology, withProbedCapabilities } from '@waybill/topology';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { RegistryCopier } from './registry-copier.js';

const repository = parseRepositoryName('team-a/app');
const moved = parseRepositoryName('apps/app');
const tag = parseTag('1.0.0');
const image = buildImage();
const bytes = [...blobsOf(image).values()].reduce((sum, blob) => sum + blob.byteLength, 0);
const idle = new AbortController().signal;

describe('RegistryCopier', () => {
  let near: RegistryUnderTest;
  let far: RegistryUnderTest;
  let clients: RegistryClients;
  let copier: RegistryCopier;

  beforeEach(async () => {
    near = await RegistryUnderTest.start();
    far = await RegistryUnderTest.start();
    clients = new RegistryClients({ secrets: { read: () => undefined } });
    const registries = {
      ci: { url: near.url, prefix: 'ci' },
      shelf: { url: near.url, prefix: 'prod' },
      prod: { url: far.url },
      here: {},
      away: {},
    };
    copier = new RegistryCopier({ clients, topology: topologyOf(registries), addresses: new Map([['here', near.url]]) });
  });

  afterEach(async () => {
    clients.close();
    await near.stop();
    await far.stop();
  });

  async function pushSource(content: BuiltContent): Promise<void> {
    const source = near.repository('ci/team-a/app');
    await pushBuilt(source, content);
    await source.putTag(tag, content.manifest);
    near.requests.length = 0;
  }

  /** Gives what was told of each target. */
  async function copy(targets: readonly TargetRun[], options: Partial<CopyOptions> = {}): Promise<ReadonlyMap<string, CopyOutcome>> {
    const outcomes = new Map<string, CopyOutcome>();
    const defaults: CopyOptions = {
      signal: idle,
      beforeManifest: () => Promise.resolve(),
      onSettled: (id, outcome) => void outcomes.set(id, outcome),
    };
    await copier.copy(itemOf(image.manifest), targets, { ...defaults, ...options });
    return outcomes;
  }

  it('copies between origins, and tells what was copied and what is proven to be there', async () => {
    await pushSource(image);

    const outcomes = await copy([targetOf('prod')]);

    const present = new Set(blobsOf(image).keys());
    expect(outcomes).toEqual(
      new Map([['prod', { outcome: 'copied', bytesCopied: bytes, bytesMounted: 0, bytesSkipped: 0, presentBlobs: present }]]),
    );
    expect((await far.repository('apps/app').readManifest(image.manifest.digest)).bytes).toEqual(Buffer.from(image.manifest.bytes));
    expect(far.requests.filter((request) => request.includes('mount='))).toEqual([]);
  });

  it.each(['shelf', 'here'])('mounts within one origin, from the name that the origin knows: %s', async (registry) => {
    await pushSource(image);

    const outcomes = await copy([targetOf(registry)]);

    expect(outcomes.get(registry)).toMatchObject({ outcome: 'mounted', bytesCopied: 0, bytesMounted: bytes });
    const mounts = near.requests.filter((request) => request.includes('mount='));
    expect(mounts).toHaveLength(blobsOf(image).size);
    for (const mount of mounts) expect(mount).toContain('from=ci%2Fteam-a%2Fapp');
  });

  it('mounts nothing where that is known to be in vain', async () => {
    await pushSource(image);
    const known = topologyOf({ ci: { url: near.url, prefix: 'ci' }, shelf: { url: near.url, prefix: 'prod' } });
    copier = new RegistryCopier({
      clients,
      topology: withProbedCapabilities(known, new Map([['shelf', { mount: false }]])),
      addresses: new Map(),
    });

    const outcomes = await copy([targetOf('shelf')]);

    expect(outcomes.get('shelf')).toMatchObject({ outcome: 'copied', bytesCopied: bytes, bytesMounted: 0 });
    expect(near.requests.filter((request) => request.includes('mount='))).toEqual([]);
  });

  it("keeps a registry's repositories below its prefix", async () => {
    await pushSource(image);

    await copy([targetOf('shelf')]);

    expect((await near.repository('prod/apps/app').readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
  });

  it('writes nothing where everything is there', async () => {
    await pushSource(image);
    await pushBuilt(far.repository('apps/app'), image);
    far.requests.length = 0;

    const outcomes = await copy([targetOf('prod')]);

    expect(outcomes.get('prod')).toMatchObject({ outcome: 'already-present', bytesCopied: 0, bytesMounted: 0, bytesSkipped: bytes });
    expect(far.requests.filter((request) => !/^(?:GET|HEAD) /.test(request))).toEqual([]);
  });

  it('announces each manifest with its target before it is sent', async () => {
    await pushSource(image);
    const announced: [string, Digest, boolean][] = [];

    await copy([targetOf('prod')], {
      beforeManifest: async (id, manifest) => {
        announced.push([id, manifest.digest, far.requests.some((request) => request.startsWith('PUT') && request.includes('/manifests/'))]);
      },
    });

    expect(announced).toEqual([['prod', image.manifest.digest, false]]);
  });

  it("makes one target's failure its own outcome, typed, with what was done before it", async () => {
    await pushSource(image);
    far.fault = ({ method, route }) => (method === 'PUT' && route.kind === 'manifest' ? { status: 400 } : undefined);

    const outcomes = await copy([targetOf('prod'), targetOf('shelf')]);

    expect(outcomes.get('prod')).toMatchObject({
      outcome: 'failed',
      error: { code: expect.stringMatching(/^target-/) },
      bytesCopied: bytes,
    });
    expect(outcomes.get('shelf')).toMatchObject({ outcome: 'mounted' });
  });

  it("tells of targets by the caller's ids, and people by the registries' names", async () => {
    await pushSource(image);
    far.fault = ({ method, route }) => (method === 'PUT' && route.kind === 'manifest' ? { status: 400 } : undefined);
    const announced = new Set<string>();

    const outcomes = await copy([{ ...targetOf('prod'), id: 'row-1' }], {
      beforeManifest: (id) => Promise.resolve(void announced.add(id)),
    });

    expect([...announced]).toEqual(['row-1']);
    expect([...outcomes.keys()]).toEqual(['row-1']);
    expect(outcomes.get('row-1')).toMatchObject({ error: { message: expect.stringMatching(/^target "prod": (?!.*row-1)/) } });
  });

  it('fails a target whose manifest was not to be sent', async () => {
    await pushSource(image);

    const outcomes = await copy([targetOf('prod')], { beforeManifest: () => Promise.reject(new Error('the lease was lost')) });

    expect(outcomes.get('prod')).toMatchObject({ outcome: 'failed', error: { code: 'hook-failed' } });
    expect(far.requests.filter((request) => request.startsWith('PUT') && request.includes('/manifests/'))).toEqual([]);
  });

  it('is cancelled by its signal', async () => {
    await pushSource(image);
    const cancel = new AbortController();
    const ended = copy([targetOf('prod')], {
      signal: cancel.signal,
      beforeManifest: async () => cancel.abort(new Error('the worker ends')),
    });

    expect((await ended).get('prod')).toMatchObject({ outcome: 'cancelled', error: { code: 'aborted' } });
  });

  it('rejects when the source does not have the root', async () => {
    await expect(copy([targetOf('prod')])).rejects.toMatchObject({ code: 'source-missing' });
  });

  it('rejects, to be tried again, when a local registry is not running', async () => {
    await pushSource(image);

    await expect(copy([targetOf('away')])).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  it('verifies manifests with their children and subjects, and finds what is missing', async () => {
    const other = buildImage({ seed: 2 });
    const subject = descriptorOf(image.manifest);
    const statement = statementAbout(image.manifest);
    const index = buildIndex([image, other, statement]);
    const target = targetOf('prod');
    await pushBuilt(far.repository('apps/app'), index);

    const { manifests } = await copier.verify(itemOf(index.manifest), target, new Set(), idle);

    const found = new Map(manifests.map((manifest) => [manifest.descriptor.digest, manifest]));
    expect([...found.keys()].sort()).toEqual([index, image, other, statement].map(({ manifest }) => manifest.digest).sort());
    expect(found.get(statement.manifest.digest)).toMatchObject({ subject: subject.digest });
    expect(found.get(image.manifest.digest)).toEqual({
      descriptor: { ...descriptorOf(image.manifest) },
      children: [image.config, ...image.layers],
    });
    expect(found.get(index.manifest.digest)?.children.map(({ digest }) => digest)).toEqual(
      index.children.map((child) => child.manifest.digest),
    );

    const lost = image.layers[0]?.digest;
    far.fault = ({ route }) => (route.kind === 'blob' && route.digest === lost ? { status: 404 } : undefined);
    await expect(copier.verify(itemOf(index.manifest), target, new Set(), idle)).rejects.toMatchObject({ code: 'target-incomplete' });
    const proven = await copier.verify(itemOf(index.manifest), target, new Set(image.blobs.keys()), idle);
    expect(proven.manifests).toHaveLength(4);
  });

  it('tells whether a target holds a manifest, and does not take trouble for absence', async () => {
    const target = targetOf('prod');
    expect(await copier.holdsManifest(target, image.manifest.digest, idle)).toBe(false);
    await pushBuilt(far.repository('apps/app'), image);
    expect(await copier.holdsManifest(target, image.manifest.digest, idle)).toBe(true);

    far.fault = () => ({ status: 403 });

    await expect(copier.holdsManifest(target, image.manifest.digest, idle)).rejects.toMatchObject({ code: 'denied' });
  });

  it('reads and writes tags at either end', async () => {
    const item = itemOf(image.manifest);
    const target = targetOf('prod');
    expect(await copier.resolveSourceTag(item, tag, idle)).toBeUndefined();
    await pushSource(image);
    await pushBuilt(far.repository('apps/app'), image);
    expect(await copier.resolveSourceTag(item, tag, idle)).toBe(image.manifest.digest);
    expect(await copier.resolveTargetTag(target, tag, idle)).toBeUndefined();

    await copier.putTargetTag(item, target, tag, idle);

    expect(await copier.resolveTargetTag(target, tag, idle)).toBe(image.manifest.digest);
  });

  it('tags what it has verified without reading it again', async () => {
    const item = itemOf(image.manifest);
    const target = targetOf('prod');
    await pushBuilt(far.repository('apps/app'), image);
    await copier.verify(item, target, new Set(image.blobs.keys()), idle);
    far.requests.length = 0;

    await copier.putTargetTag(item, target, tag, idle);

    expect(far.requests.filter((request) => request.startsWith('GET '))).toEqual([]);
    expect(await copier.resolveTargetTag(target, tag, idle)).toBe(image.manifest.digest);
  });

  it('tags nothing that is not there', async () => {
    await expect(copier.putTargetTag(itemOf(image.manifest), targetOf('prod'), tag, idle)).rejects.toMatchObject({ code: 'not-found' });
    expect(await copier.resolveTargetTag(targetOf('prod'), tag, idle)).toBeUndefined();
  });
});

type Place = Readonly<{ url?: string; prefix?: string }>;

function topologyOf(places: Readonly<Record<string, Place>>): Topology {
  const registries = Object.entries(places).map(([name, { url, prefix }]): [string, PlacedRegistry] => [
    name,
    {
      name,
      role: 'prod',
      location: 'eu',
      insecure: false,
      immutableTags: { kind: 'none' },
      ...(url === undefined ? { local: {} } : { url }),
      ...(prefix === undefined ? {} : { prefix: parseRepositoryName(prefix) }),
    },
  ]);
  return {
    name: 'spec',
    locations: { eu: { egress: {} } },
    registries: Object.fromEntries(registries),
    paths: {},
    replications: [],
    retention: [],
  };
}

function itemOf({ digest }: Manifest): ItemRun {
  return { id: 'item', source: { registry: 'ci', repository, tag }, isSourceReplaced: false, digest, targets: [] };
}

function targetOf(registry: string): TargetRun {
  return {
    id: registry,
    registry,
    isReplaced: false,
    repository: moved,
    requirement: 'required',
    state: 'pending',
    attempts: 0,
    isWaiting: false,
    tags: [],
  };
}

/** An artifact that says something about a manifest. */
function statementAbout(subject: Manifest): BuiltContent {
  const empty = Buffer.from('{}');
  const config = { mediaType: mediaType.ociEmpty, digest: digestOf(empty), size: empty.byteLength };
  const content = { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [config], subject: descriptorOf(subject) };
  return {
    manifest: manifestFromBytes(Buffer.from(JSON.stringify(content)), mediaType.ociManifest),
    blobs: new Map([[config.digest, empty]]),
    children: [],
  };
}
