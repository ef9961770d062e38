import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Digest } from '@waybill/oci-model';
import { NotificationFeeds } from '@waybill/persistence';
import { buildImage, buildIndex, describeWith, type RunningRegistry, startDockerRegistry, until } from '@waybill/testing';
import { Stack } from '../../apps/cli/src/up/stack.js';
import { pushWithSkopeo, rawManifest, skopeo } from './skopeo.js';
import { startSystem, type System } from './system.js';

jest.setTimeout(120_000);

const topologyWith = (url: string) => `
apiVersion: waybill/v1
kind: Topology
metadata: { name: e2e }
locations: { eu: {} }
registries:
  ci: { role: ci-snapshots, location: eu, url: '${url}', notifications: { secret: ci-tells, heartbeat: 1m } }
`;

const [amd, arm] = [buildImage({ seed: 1 }), buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })];
const index = buildIndex([amd, arm]);

describeWith(['docker-registry', 'skopeo'], 'a real registry that tells what happens there', () => {
  const started = new Stack();
  let registry: RunningRegistry;
  let system: System;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-pulled-'));
    started.push(() => rm(folder, { recursive: true, force: true }));
    registry = await startDockerRegistry();
    started.push(() => registry.stop());
    system = await startSystem({ topology: topologyWith(registry.url), environment: { WAYBILL_SECRET_CI_TELLS: 'told' } });
    started.push(() => system.stop());
    const api = system.environment['WAYBILL_API_URL'] ?? '';
    await registry.restart({ notifications: { url: `${api}/api/v1/registries/ci/notifications`, authorization: 'Bearer told' } });
    await system.startWorker();
  });
  afterAll(() => started.unwind());

  const feed = async () => (await new NotificationFeeds(system.database).states())[0];

  async function place(digest: Digest) {
    return await system.database.tables.placement.findFirst({ where: { digest: Buffer.from(digest.slice(7), 'hex'), seenUntil: null } });
  }

  /** As if the time of the next heartbeat had come. */
  const beat = () => system.database.tables.$executeRaw`UPDATE notification_feed SET next_beat_at = now()`;

  async function untilKnown(): Promise<Date> {
    await until('every pull is known', async () => {
      await beat();
      return (await feed())?.knownSince !== undefined;
    });
    const knownSince = (await feed())?.knownSince;
    if (knownSince === undefined) throw new Error('pulls are unknown again');
    return knownSince;
  }

  it('is in the inventory a moment after a push, without a crawl', async () => {
    await pushWithSkopeo(registry, 'team/app:1.0.0', index);

    await until('the tag is known', async () => (await system.database.tables.tag.count({ where: { name: '1.0.0' } })) === 1);
    expect(await system.database.tables.tagEvent.findMany()).toMatchObject([{ tag: '1.0.0', source: 'notification' }]);
    for (const { manifest } of [amd, arm, index]) {
      await until('it is known when it was pushed', async () => (await place(manifest.digest))?.pushedAtSource === 'notification');
      expect(await place(manifest.digest)).toMatchObject({ lastPulledAt: null });
    }
  });

  it('is known to be pulled by digest alone: an index is none of its images', async () => {
    await rawManifest(registry, 'team/app:1.0.0');

    await until('the pull is known', async () => (await place(index.manifest.digest))?.lastPulledAt instanceof Date);
    expect(await place(amd.manifest.digest)).toMatchObject({ lastPulledAt: null });
    expect(await place(arm.manifest.digest)).toMatchObject({ lastPulledAt: null });

    const from = `docker://127.0.0.1:${registry.port}/team/app@${arm.manifest.digest}`;
    await skopeo('copy', '--quiet', '--src-tls-verify=false', from, `dir:${folder}`);
    await until('the pull of the image is known', async () => (await place(arm.manifest.digest))?.lastPulledAt instanceof Date);
    expect(await place(amd.manifest.digest)).toMatchObject({ lastPulledAt: null });
  });

  it('tells of heartbeats, from which on every pull is known, and of no more than that after it was killed', async () => {
    const since = await untilKnown();
    expect(await place(amd.manifest.digest)).toMatchObject({ lastPulledAt: null });

    process.kill(-registry.pid, 'SIGKILL');
    await registry.restart();
    await rawManifest(registry, 'team/app:1.0.0');

    await until('it is another process', async () => (await feed())?.gaps === 1);
    expect(await feed()).toMatchObject({ gapReason: 'instance' });
    expect((await untilKnown()).getTime()).toBeGreaterThan(since.getTime());
  });

  it('is not in the inventory any more a moment after a deletion', async () => {
    await skopeo('delete', '--tls-verify=false', `docker://127.0.0.1:${registry.port}/team/app:1.0.0`);

    await until('the tag is gone', async () => (await system.database.tables.tag.count({ where: { goneAt: null } })) === 0);
    expect(await place(index.manifest.digest)).toBeNull();
  });
});
