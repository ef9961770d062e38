import { execFile } from 'node:child_process';
import { access, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { loadWorkerConfig } from '@waybill/config';
import type { Tag } from '@waybill/oci-model';
import { CollectionLeases, DispatchLeases, loadRun, PrismaRunJournal, TopologyRevisions } from '@waybill/persistence';
import { blobsOf, buildImage, type BuiltImage, describeWith, findServer, makeTestFolder, pushBuilt, until } from '@waybill/testing';
import { Stage, stallLayer } from './controlled-stage.spec-helper.js';
import { CollectRegistries } from './features/collect/collect-registries.js';
import { CollectedRegistry } from './features/collect/collected-registry.spec-helper.js';
import { oneTag, repository, requiredAt } from './recorded-promotions.spec-helper.js';
import { startWorker } from './start-worker.js';

const kept = buildImage({ layers: 1, layerBytes: 8_192, seed: 11 });
const condemned = buildImage({ layers: 2, layerBytes: 8_192, seed: 12, base: kept });
/** Needs what only the condemned one needed. */
const late = buildImage({ layers: 1, layerBytes: 1_024, seed: 13, base: condemned });

let stage: Stage;
let prod: CollectedRegistry;
let program: string;

beforeEach(async () => {
  stage = new Stage();
  program = await gatedProgram();
  prod = await CollectedRegistry.start({ searchPath: program });
  await stage.open({});
  await new TopologyRevisions(stage.recorded.database).locate('prod', prod.url);
});
afterEach(async () => {
  await stage.close();
  await prod.stop();
});

/** A docker-registry whose collections wait for a file `go`, and say by a file `begun` that they do. Gives its folder. */
async function gatedProgram(): Promise<string> {
  const folder = await makeTestFolder('waybill-gated-');
  const gate = `touch ${folder}/begun; while [ ! -e ${folder}/go ]; do sleep 0.05; done`;
  const script = `#!/bin/sh\nif [ "$1" = garbage-collect ]; then ${gate}; fi\nexec ${findServer('docker-registry')?.path ?? ''} "$@"\n`;
  await writeFile(join(folder, 'docker-registry'), script, { mode: 0o755 });
  return folder;
}

const letCollect = (): Promise<void> => writeFile(join(program, 'go'), '');
const untilCollecting = (): Promise<void> =>
  until('something is collected', () =>
    access(join(program, 'begun')).then(
      () => true,
      () => false,
    ),
  );

async function work(): Promise<void> {
  const config = loadWorkerConfig({ ...stage.environment, WAYBILL_CONTROL_SOCKET: prod.control.path });
  const worker = await startWorker({ config, logger: stage.log.logger });
  stage.ended.push(() => worker.app.close());
}

const requiredAs = (tag: string) => ({ ...requiredAt('prod'), tags: [{ tag: tag as Tag, expected: { kind: 'absent' } as const }] });

/** Brings an image to Prod under a tag; gives the promotion. */
async function request(image: BuiltImage, tag: string): Promise<string> {
  await pushBuilt(stage.ci.repository(repository), image);
  return stage.recorded.request(image.manifest, [requiredAs(tag)]);
}

const stateOf = async (id: string) => (await stage.recorded.collection(id)).state;
const untilState = (id: string, state: string) => until(`the collection is ${state}`, async () => (await stateOf(id)) === state);

async function targetOf(id: string) {
  const [target] = (await stage.recorded.promotion(id)).items.flatMap(({ targets }) => targets);
  if (target === undefined) throw new Error('the promotion has no target');
  return target;
}

async function storedBytes(): Promise<number> {
  const folder = join(prod.folder, 'prod', 'docker-registry');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries.map(async (entry) => (entry.isFile() ? (await stat(join(entry.parentPath, entry.name))).size : 0)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The size of the blobs of these images that the kept one does not name. */
function bytesBesideKept(...images: readonly BuiltImage[]): number {
  const own = new Map(images.flatMap((image) => [...blobsOf(image)]));
  for (const digest of blobsOf(kept).keys()) own.delete(digest);
  return [...own.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
}

/** With a client that has no part in this; rejects unless every byte is there. */
async function pullWhole(tag: string): Promise<void> {
  const skopeo = findServer('skopeo')?.path ?? '';
  const reference = `${prod.url.replace('http://', 'docker://')}/${repository}:${tag}`;
  await promisify(execFile)(skopeo, ['copy', '--src-tls-verify=false', reference, `dir:${await makeTestFolder('waybill-pulled-')}`]);
}

describeWith(['docker-registry', 'skopeo'], 'a registry that is collected while promotions go to it', () => {
  it('shrinks by what nobody needs; what was requested meanwhile waits, and is copied whole, whatever was known', async () => {
    await work();
    for (const [image, tag] of [
      [kept, 'kept'],
      [condemned, 'condemned'],
    ] as const) {
      expect(await stage.untilOver(await request(image, tag))).toBe('succeeded');
    }
    await prod.repository(repository).deleteManifest(condemned.manifest.digest);
    const full = await storedBytes();

    const collection = await stage.recorded.requestCollection();
    await untilCollecting();
    const meanwhile = await request(late, 'late');
    await until('the promotion waits', async () => (await stage.recorded.promotion(meanwhile)).state === 'waiting');
    expect((await targetOf(meanwhile)).pause).toMatchObject({ scope: 'collection', name: 'prod', reason: 'the disk is full' });
    await pullWhole('kept');
    await letCollect();
    await untilState(collection, 'complete');
    const done = await stage.recorded.collection(collection);

    expect(done).toMatchObject({ bytesBefore: full, bytesAfter: full - bytesBesideKept(condemned) - condemned.manifest.bytes.byteLength });
    expect(await stage.untilOver(meanwhile)).toBe('succeeded');
    expect(await targetOf(meanwhile)).toMatchObject({ outcome: 'copied', attempts: 1, bytesCopied: BigInt(bytesBesideKept(late)) });
    for (const tag of ['kept', 'late']) await pullWhole(tag);
    expect(stage.log.troubles()).toEqual([]);
  });

  it('does not begin before a copy that runs has ended', async () => {
    await letCollect();
    await work();
    await pushBuilt(stage.ci.repository(repository), kept);
    stallLayer(stage.ci);
    const running = await request(condemned, 'condemned');
    await until('it is copied', async () => (await targetOf(running)).state === 'copying');

    const collection = await stage.recorded.requestCollection();
    await untilState(collection, 'draining');
    expect(await prod.takesWrites()).toBe(true);
    await stage.cancel(running);

    await untilState(collection, 'complete');
    expect(await stage.untilOver(running)).toBe('cancelled');
  });

  it('is not trusted to hold what a worker had verified before that died since', async () => {
    await letCollect();
    const store = prod.repository(repository);
    await pushBuilt(stage.ci.repository(repository), kept);
    await pushBuilt(store, kept);
    const { database } = stage.recorded;
    const promotion = await stage.recorded.request(kept.manifest, [requiredAs(oneTag)]);
    await dieBeforeTag(promotion);
    await store.deleteManifest(kept.manifest.digest);
    const collection = await stage.recorded.requestCollection();
    await collectAlone();
    expect(await stateOf(collection)).toBe('complete');

    await work();

    expect(await stage.untilOver(promotion)).toBe('succeeded');
    expect(await targetOf(promotion)).toMatchObject({ outcome: 'copied' });
    await pullWhole(oneTag);
    const [{ epoch } = { epoch: 0n }] = await database.tables.registry.findMany({ where: { name: 'prod', replacedAt: null } });
    expect(await database.tables.placement.count({ where: { registry: { name: 'prod' }, epoch: { lt: epoch } } })).toBe(0);
  });

  /** Beside no worker that promotes. */
  async function collectAlone(): Promise<void> {
    const { database } = stage.recorded;
    const collector = new CollectRegistries({
      leases: new CollectionLeases(database, { leaseMs: 60_000 }),
      supervisor: prod.supervisor,
      leaseMs: 60_000,
      drainMs: 60_000,
      pollMs: 5,
      retryMs: 0,
      workerId: 'alone',
      logger: stage.log.logger,
    });
    await new Promise<void>((resolve, reject) => {
      collector.begin(resolve).catch(reject);
    });
  }

  /** As a worker does that verifies everything at Prod, and is gone before it writes the tag. */
  async function dieBeforeTag(promotion: string): Promise<void> {
    const { database } = stage.recorded;
    const lease = await new DispatchLeases(database, { leaseMs: 60_000 }).claim(await stage.recorded.messageOf(promotion), 'doomed');
    const loaded = await loadRun(database, promotion, 'eu');
    const target = loaded?.run.items[0]?.targets[0];
    if (lease === undefined || target === undefined) throw new Error('there is nothing to run');
    const journal = new PrismaRunJournal(database, lease, { tagLeaseMs: 60_000 });
    await journal.beginAttempt([target]);
    await journal.recordCopy(target, 'copied', { bytesCopied: 1, bytesMounted: 0, bytesSkipped: 0 });
    await journal.settleContent(target, { manifests: [] });
    await journal.advance(target, 'tagging');
    await stage.recorded.endLease(promotion);
  }
});
