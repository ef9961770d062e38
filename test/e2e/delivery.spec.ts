import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { blobsOf, buildImage, buildIndex, type BuiltContent, describeWith, manifestsOf } from '@waybill/testing';
import { digestOf, hexOf } from '@waybill/oci-model';
import { ProvenanceChain } from '@waybill/persistence';
import { verifyChain } from '@waybill/provenance';
import { Stack } from '../../apps/cli/src/up/stack.js';
import { outcomesOf, recordOf } from './reading.js';
import { type ObservedRegistry, startObservedRegistry, writesIn } from './registries.js';
import { pushWithSkopeo, rawManifest, skopeo } from './skopeo.js';
import { startSystem, type System } from './system.js';

jest.setTimeout(120_000);

const user = { username: 'waybill', password: 'open sesame' };
const replicated = ['prod', 'prod-us', 'prod-ap'];

/** Two registries of the company share a host; the others stand alone. */
const topologyWith = (sharedUrl: string) => `
apiVersion: waybill/v1
kind: Topology
metadata: { name: e2e }
locations: { eu: {}, us: {}, ap: {} }
registries:
  ci-snapshots: { role: ci-snapshots, location: eu, local: true }
  staging: { role: staging, location: eu, local: true }
  prod: { role: prod, location: eu, local: true }
  prod-us: { role: replica, of: prod, location: us, local: true }
  prod-ap: { role: replica, of: prod, location: ap, local: true }
  team-snapshots: { role: ci-snapshots, location: eu, url: '${sharedUrl}', prefix: snapshots, credentials: { read: { secret: shared } } }
  team-prod: { role: prod, location: eu, url: '${sharedUrl}', prefix: prod, credentials: { write: { secret: shared } } }
paths:
  release: { from: ci-snapshots, to: [prod], repositories: ['team-*/**'], tags: '.*' }
  both: { from: ci-snapshots, to: [prod, staging], repositories: ['twins/**'], tags: '.*', }
  team-release: { from: team-snapshots, to: [team-prod], repositories: ['**'], tags: '.*' }
replications:
  - { from: prod, to: [prod-us, prod-ap], repositories: ['team-*/**'] }
`;

describeWith(['docker-registry', 'skopeo'], 'a promotion between real registries', () => {
  const started = new Stack();
  let shared: ObservedRegistry;
  let system: System;

  beforeAll(async () => {
    shared = await startObservedRegistry({ htpasswd: user });
    started.push(() => shared.stop());
    system = await startSystem({
      topology: topologyWith(shared.proxy.url),
      environment: { WAYBILL_SECRET_SHARED: `${user.username}:${user.password}` },
    });
    started.push(() => system.stop());
    await system.startWorker();
  });

  afterAll(() => started.unwind());

  it('brings an image pushed with skopeo to prod and its replicas with the same raw bytes', async () => {
    const image = buildImage({ seed: 101 });
    await pushWithSkopeo(system.registry('ci-snapshots').server, 'team-a/app:1.0.0', image);

    const promotion = await system.promote({ path: 'release', items: [{ source: 'ci-snapshots/team-a/app:1.0.0' }] });

    expect(promotion).toMatchObject({ state: 'succeeded', settled: true, items: [{ digest: image.manifest.digest }] });
    expect(outcomesOf(promotion)).toEqual({ prod: 'copied', 'prod-us': 'copied', 'prod-ap': 'copied' });
    for (const name of ['ci-snapshots', ...replicated]) {
      expect(await rawManifest(system.registry(name).server, 'team-a/app:1.0.0')).toEqual(Buffer.from(image.manifest.bytes));
    }
  });

  it('records one effect per change at a registry, in a chain that verifies', async () => {
    const image = buildImage({ seed: 102 });
    await system.registry('ci-snapshots').push('team-a/app', '1.0.1', image);

    await system.promote({ path: 'release', items: [{ source: 'ci-snapshots/team-a/app:1.0.1' }] });

    const entries = await recordOf(system.api, image.manifest.digest);
    const effects = entries
      .filter(({ kind }) => kind === 'effect')
      .map(({ body }) => [body['effect'], body['registry'], body['outcome']].join(' '));
    expect(effects.toSorted()).toEqual(
      replicated.flatMap((registry) => [`manifest ${registry} written`, `tag ${registry} written`]).toSorted(),
    );
    const decisions = entries.filter(({ kind }) => kind === 'decision').map(({ body }) => body['decision']);
    expect(decisions.toSorted()).toEqual(['promotion-ended', 'requested', 'target-ended', 'target-ended', 'target-ended']);
    expect(await chainVerdict(system)).toMatchObject({ intact: true });
  });

  const writesEverywhere = () => ['ci-snapshots', ...replicated].map((name) => writesIn(system.registry(name).proxy));

  it('writes rows and nothing else when everything is there already', async () => {
    await system.registry('ci-snapshots').push('team-a/app', '1.0.2', buildImage({ seed: 103 }));
    const request = { path: 'release', items: [{ source: 'ci-snapshots/team-a/app:1.0.2' }] };
    await system.promote(request);
    const before = writesEverywhere();

    const second = await system.promote(request);

    expect(second.state).toBe('succeeded');
    expect(outcomesOf(second)).toEqual({ prod: 'already-present', 'prod-us': 'already-present', 'prod-ap': 'already-present' });
    expect(writesEverywhere()).toEqual(before);
  });

  it('brings a multi-arch index whole', async () => {
    const arm64 = { os: 'linux', architecture: 'arm64' };
    const index = buildIndex([buildImage({ seed: 104 }), buildImage({ seed: 105, platform: arm64 })]);
    await pushWithSkopeo(system.registry('ci-snapshots').server, 'team-a/multi:2.0.0', index);

    const promotion = await system.promote({ path: 'release', items: [{ source: 'ci-snapshots/team-a/multi:2.0.0' }] });

    expect(promotion.state).toBe('succeeded');
    for (const name of replicated) await expectWhole(system.registry(name), 'team-a/multi:2.0.0', index);
  });

  it('reads each blob once per location, however many targets stand there', async () => {
    const image = buildImage({ seed: 106, layers: 3, layerBytes: 200_000 });
    await system.registry('ci-snapshots').push('twins/app', '1.0.0', image);

    const promotion = await system.promote({ path: 'both', items: [{ source: 'ci-snapshots/twins/app:1.0.0' }] });

    expect(outcomesOf(promotion)).toEqual({ prod: 'copied', staging: 'copied' });
    const reads = [...image.blobs.keys()].map((digest) => readsOf(system.registry('ci-snapshots'), digest));
    expect(reads).toEqual([...image.blobs.keys()].map(() => 1));
  });

  it('mounts between two registries of one host and copies no byte', async () => {
    const image = buildImage({ seed: 107, layerBytes: 50_000 });
    await shared.push('snapshots/team-b/app', '1.0.0', image);

    const promotion = await system.promote({ path: 'team-release', items: [{ source: 'team-snapshots/team-b/app:1.0.0' }] });

    const bytes = [...image.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(promotion.items[0]?.targets).toMatchObject([{ outcome: 'mounted', bytesCopied: 0, bytesMounted: bytes }]);
    expect(await shared.tagged('prod/team-b/app', '1.0.0')).toBe(image.manifest.digest);
    expect(writesIn(shared.proxy).filter((write) => write.startsWith('PUT') && write.includes('/blobs/'))).toEqual([]);
  });
});

function readsOf({ proxy }: ObservedRegistry, digest: string): number {
  return proxy.requests.filter(({ method, url }) => method === 'GET' && url.endsWith(`/blobs/${digest}`)).length;
}

async function chainVerdict({ database }: System) {
  const linked = await new ProvenanceChain(database).links({ after: 0n, limit: 500 });
  return verifyChain(linked.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }])));
}

/** Skopeo brings everything beneath a tag to a folder; each file must be what its digest says. */
async function expectWhole({ server }: ObservedRegistry, reference: string, built: BuiltContent): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'waybill-pulled-'));
  try {
    const from = `docker://127.0.0.1:${server.port}/${reference}`;
    await skopeo('copy', '--quiet', '--all', '--preserve-digests', '--src-tls-verify=false', from, `oci:${folder}:pulled`);
    for (const digest of [...manifestsOf(built).map((manifest) => manifest.digest), ...blobsOf(built).keys()]) {
      expect(digestOf(await readFile(join(folder, 'blobs/sha256', hexOf(digest))))).toBe(digest);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
