import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ControlClient } from '@waybill/embedded';
import { parseTag } from '@waybill/oci-model';
import { CollectionLeases, Pauses, TopologyRevisions } from '@waybill/persistence';
import { buildImage, describeWith, findServer, makeTestFolder, pushBuilt, until } from '@waybill/testing';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { RecordedPromotions, repository } from '../../recorded-promotions.spec-helper.js';
import { CollectedRegistry } from './collected-registry.spec-helper.js';
import { CollectRegistries, type CollectRegistriesOptions } from './collect-registries.js';

type Leases = CollectRegistriesOptions['leases'];
/** A step of a collection, and for those that say where it is, what they say. */
type Step = 'claimNext' | 'beginDraining' | 'drain' | 'read-only' | 'collecting' | 'restarting' | 'complete';

const leaseMs = 60_000;

const never = new AbortController().signal;

/** The rows, some of whose methods a spec replaces. */
function bound(leases: CollectionLeases): Leases {
  return {
    claimNext: (...args) => leases.claimNext(...args),
    renew: (...args) => leases.renew(...args),
    release: (...args) => leases.release(...args),
    beginDraining: (...args) => leases.beginDraining(...args),
    drain: (...args) => leases.drain(...args),
    advance: (...args) => leases.advance(...args),
    complete: (...args) => leases.complete(...args),
    giveUp: (...args) => leases.giveUp(...args),
  };
}

/** The rows as a process sees them that dies before or after a step: from then on it does nothing any more. */
function dying(leases: CollectionLeases, when: 'before' | 'after', step: Step): Leases {
  let isDead = false;
  const dead = new Error('the process is dead');
  const as =
    <Args extends readonly unknown[], Result>(name: string | ((...args: Args) => string), method: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const isIt = (typeof name === 'string' ? name : name(...args)) === step;
      if (isDead || (isIt && when === 'before')) {
        isDead = true;
        throw dead;
      }
      const result = await method(...args);
      if (isIt) {
        isDead = true;
        throw dead;
      }
      return result;
    };
  const { claimNext, renew, release, beginDraining, drain, advance, complete, giveUp } = bound(leases);
  return {
    claimNext: as('claimNext', claimNext),
    renew: as('renew', renew),
    release: as('release', release),
    beginDraining: as('beginDraining', beginDraining),
    drain: as('drain', drain),
    advance: as((_lease, state) => state, advance),
    complete: as('complete', complete),
    giveUp: as('giveUp', giveUp),
  };
}

/** A docker-registry that does this before it collects; the folder that it is found in. */
async function programThat(collecting: (folder: string) => string): Promise<string> {
  const folder = await makeTestFolder('waybill-program-');
  const real = findServer('docker-registry')?.path ?? '';
  const script = `#!/bin/sh\nif [ "$1" = garbage-collect ]; then ${collecting(folder)}; fi\nexec ${real} "$@"\n`;
  await writeFile(join(folder, 'docker-registry'), script, { mode: 0o755 });
  return folder;
}

const brokenProgram = (): Promise<string> => programThat(() => 'echo "the disk is odd" >&2; exit 1');
/** It waits for a file `go`. */
const gatedProgram = (): Promise<string> => programThat((folder) => `while [ ! -e ${folder}/go ]; do sleep 0.05; done`);

describeWith('docker-registry', 'a collection', () => {
  let recorded: RecordedPromotions;
  let prod: CollectedRegistry;
  let leases: CollectionLeases;
  let log: Logged;
  let seed = 100;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open();
    leases = new CollectionLeases(recorded.database, { leaseMs });
  });
  afterAll(() => recorded.close());

  beforeEach(() => {
    log = logged();
  });
  afterEach(() => prod.stop());

  async function open(options: { readonly folder?: string; readonly searchPath?: string } = {}): Promise<void> {
    prod = await CollectedRegistry.start(options);
    await new TopologyRevisions(recorded.database).locate('prod', prod.url);
  }

  const collector = (options: Partial<CollectRegistriesOptions> = {}): CollectRegistries =>
    new CollectRegistries({
      leases,
      supervisor: prod.supervisor,
      leaseMs,
      drainMs: 60_000,
      pollMs: 5,
      retryMs: 0,
      workerId: 'worker',
      logger: log.logger,
      ...options,
    });

  /** Begins what waits, and resolves when it has ended. */
  async function collect(one: CollectRegistries): Promise<number> {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const begun = await one.begin(end);
    if (begun > 0) await ended;
    return begun;
  }

  /** Pushes an image that stays and one that is deleted; gives what only the deleted one needed. */
  async function pushAndDelete(): Promise<number> {
    const kept = buildImage({ layers: 1, seed: ++seed });
    const gone = buildImage({ layers: 1, seed: ++seed, base: kept });
    const store = prod.repository(repository);
    for (const image of [kept, gone]) await pushBuilt(store, image);
    await store.putTag(parseTag('kept'), kept.manifest);
    await store.deleteManifest(gone.manifest.digest);
    const own = [...gone.blobs].filter(([digest]) => !kept.blobs.has(digest)).map(([, bytes]) => bytes.byteLength);
    return own.reduce((sum, bytes) => sum + bytes, gone.manifest.bytes.byteLength);
  }

  /** The size of the storage. */
  async function look(id: string): Promise<number> {
    const asked = { registry: 'prod', id, isDryRun: true, onPhase: () => Promise.resolve(), signal: never };
    return (await prod.supervisor.collect(asked)).bytesBefore;
  }

  const endLease = (id: string) => recorded.database.tables.$executeRaw`
    UPDATE collection SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}::uuid AND lease_expires_at IS NOT NULL`;
  const openPauses = () => new Pauses(recorded.database).list({ limit: 10, isHistory: false });

  it('gives back what a dry run says, which itself removes and holds nothing', async () => {
    await open();
    const unshared = await pushAndDelete();

    const dry = await recorded.requestCollection({ isDryRun: true });
    expect(await collect(collector())).toBe(1);
    const real = await recorded.requestCollection();
    expect(await collect(collector())).toBe(1);

    const [would, did] = [await recorded.collection(dry), await recorded.collection(real)];
    expect(would).toMatchObject({ state: 'complete', bytesAfter: (would.bytesBefore ?? 0) - unshared, epoch: undefined });
    expect(did).toMatchObject({ state: 'complete', bytesBefore: would.bytesBefore, bytesAfter: would.bytesAfter, blobs: would.blobs });
    expect(await collect(collector())).toBe(0);
    expect([await openPauses(), await prod.takesWrites(), log.troubles()]).toEqual([[], true, []]);
  });

  describe('whose worker dies', () => {
    it.each<['before' | 'after', Step]>([
      ['after', 'claimNext'],
      ['before', 'beginDraining'],
      ['after', 'beginDraining'],
      ['before', 'drain'],
      ['after', 'drain'],
      ['before', 'read-only'],
      ['after', 'read-only'],
      ['before', 'collecting'],
      ['after', 'collecting'],
      ['before', 'restarting'],
      ['after', 'restarting'],
      ['before', 'complete'],
      ['after', 'complete'],
    ])('%s %s is brought to its end by the next one', async (when, step) => {
      await open();
      const unshared = await pushAndDelete();
      const before = await look('before');
      const id = await recorded.requestCollection();

      await collect(collector({ leases: dying(leases, when, step) })).catch(() => undefined);
      await endLease(id);
      await collect(collector({ workerId: 'next' }));

      expect(await recorded.collection(id)).toMatchObject({ state: 'complete' });
      expect(before - (await look('after'))).toBe(unshared);
      expect([await openPauses(), await prod.takesWrites()]).toEqual([[], true]);
    });
  });

  it('is handed over by a worker that is stopped, and taken up at once', async () => {
    await open();
    await pushAndDelete();
    const id = await recorded.requestCollection();
    const stopped = collector({ leases: { ...bound(leases), drain: () => Promise.resolve('waiting' as const) } });
    await stopped.begin(() => undefined);

    await stopped.close();
    await collect(collector({ workerId: 'next' }));

    expect(await recorded.collection(id)).toMatchObject({ state: 'complete' });
  });

  it('is refused when copies do not end in time, and lets them go on', async () => {
    await open();
    const id = await recorded.requestCollection();

    await collect(collector({ leases: { ...bound(leases), drain: () => Promise.resolve('too-late' as const) } }));

    expect(await recorded.collection(id)).toMatchObject({ state: 'refused', error: { code: 'copies-run' }, epoch: undefined });
    expect([await openPauses(), await prod.takesWrites()]).toEqual([[], true]);
  });

  it('is refused of a registry whose program gives no space back, without a pause', async () => {
    await open();
    const id = await recorded.requestCollection();
    const registries = () => Promise.resolve([{ name: 'prod', url: prod.url, engine: 'local-registry' as const }]);

    await collect(collector({ supervisor: { registries, collect: () => Promise.reject(new Error('it is not asked')) } }));

    expect(await recorded.collection(id)).toMatchObject({
      state: 'refused',
      error: { code: 'collection-unsupported' },
      startedAt: undefined,
    });
  });

  it('that fails says why, and leaves the registry in service', async () => {
    await open({ searchPath: await brokenProgram() });
    const id = await recorded.requestCollection();
    await pushAndDelete();

    await collect(collector());

    expect(await recorded.collection(id)).toMatchObject({
      state: 'failed',
      error: { code: 'collection-failed', message: expect.stringContaining('the disk is odd') },
    });
    expect([await openPauses(), await prod.takesWrites()]).toEqual([[], true]);
  });

  it('whose supervisor is stopped in the midst is brought to its end by the next one', async () => {
    const program = await gatedProgram();
    await open({ searchPath: program });
    const unshared = await pushAndDelete();
    const id = await recorded.requestCollection();
    const collecting = collect(collector());
    await until('something is collected', async () => (await recorded.collection(id)).state === 'collecting');

    await prod.end();
    await collecting;
    expect(await recorded.collection(id)).toMatchObject({ state: 'collecting', finishedAt: undefined });
    await writeFile(join(program, 'go'), '');
    await open({ folder: prod.folder, searchPath: program });
    expect(await prod.takesWrites()).toBe(true);
    await collect(collector({ workerId: 'next' }));

    const row = await recorded.collection(id);
    expect(row).toMatchObject({ state: 'complete', bytesAfter: (row.bytesBefore ?? 0) - unshared });
    expect([await openPauses(), await prod.takesWrites()]).toEqual([[], true]);
  });

  it('waits where the supervisor does not answer', async () => {
    await open();
    const id = await recorded.requestCollection();
    const silent = new ControlClient(join(prod.folder, 'nobody.sock'));

    await collect(collector({ supervisor: { registries: () => prod.supervisor.registries(), collect: (asked) => silent.collect(asked) } }));
    expect(await recorded.collection(id)).toMatchObject({ state: 'read-only', finishedAt: undefined });
    await collect(collector());

    expect(await recorded.collection(id)).toMatchObject({ state: 'complete' });
  });
});
