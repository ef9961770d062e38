import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { type BuiltImage, buildImage, describeWith, startRedis } from '@waybill/testing';
import { Stack } from '../../apps/cli/src/up/stack.js';
import type { Fault, ProxiedRequest } from './fault-proxy.js';
import { targetOf } from './reading.js';
import { writesIn } from './registries.js';
import { releaseTopology } from './release-topology.js';
import { startSystem, type System, type WorkerProcess } from './system.js';

jest.setTimeout(120_000);

const topology = releaseTopology('staging', 'prod');

/** Where in a promotion something is held up, how, and as what prod ends then. */
interface Moment {
  readonly title: string;
  readonly at: 'ci-snapshots' | 'prod';
  readonly matches: (request: ProxiedRequest, image: BuiltImage) => boolean;
  readonly fault: Fault;
  readonly outcome: 'copied' | 'mounted';
}

const halfABlob: Moment = {
  title: 'with a blob half copied',
  at: 'ci-snapshots',
  matches: ({ method, url }, image) => method === 'GET' && url.endsWith(String(image.layers[0]?.digest)),
  fault: { kind: 'stall', afterBytes: 100_000 },
  outcome: 'copied',
};
const unconfirmedManifest: Moment = {
  title: 'after a manifest was written, before it knew',
  at: 'prod',
  matches: ({ method, url }, image) => method === 'PUT' && url.endsWith(`/manifests/${image.manifest.digest}`),
  fault: { kind: 'swallow-answer' },
  // Whoever follows finds everything there and moves no bytes; what the dead worker moved, it could not tell.
  outcome: 'mounted',
};
const unconfirmedTag: Moment = {
  title: 'after the tag was written, before it knew',
  at: 'prod',
  matches: ({ method, url }) => method === 'PUT' && url.endsWith('/manifests/1.0.0'),
  fault: { kind: 'swallow-answer' },
  outcome: 'copied',
};

describeWith('docker-registry', 'a worker that dies, with the queue on PostgreSQL', () => {
  const scene = sceneOf(() => startSystem({ topology }));

  it.each([halfABlob, unconfirmedManifest, unconfirmedTag])('is followed by another when it is killed $title', (moment) =>
    scene.expectTakeover(moment),
  );

  it('writes nothing when it was only asleep and wakes after another took over', async () => {
    const { image, source } = await scene.pushImage();
    const prod = scene.system.registry('prod');
    const gate = new EventEmitter();
    const until = once(gate, 'open').then(() => undefined);
    const held = scene.system.registry('ci-snapshots').proxy.once((request) => halfABlob.matches(request, image), { kind: 'hold', until });
    const id = await scene.system.request({ path: 'release', items: [{ source }] });
    await held;
    const sleeper = await scene.holderOf(id);

    sleeper.pause();
    const promotion = await scene.system.settled(id);
    const written = writesIn(prod.proxy);
    gate.emit('open');
    sleeper.resume();
    await sleeper.logged('the run was taken over');

    expect(promotion.state).toBe('succeeded');
    expect(manifestsIn(writesIn(prod.proxy))).toEqual(manifestsIn(written));
    expect(await scene.effectsOf(id)).toEqual(await scene.undisturbed());
  });
});

describeWith(['docker-registry', 'redis-server'], 'a worker that dies, with the queue on Redis', () => {
  const scene = sceneOf(async (stack) => {
    const redis = await startRedis();
    stack.push(() => redis.stop());
    return startSystem({ topology, redisUrl: redis.url });
  });

  it.each([halfABlob])('is followed by another when it is killed $title', (moment) => scene.expectTakeover(moment));
});

interface Effect {
  readonly kind: string;
  readonly registry: string;
  readonly tag: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly records: number;
}

/** A system with two workers before each test, whatever the last one did to them. */
function sceneOf(start: (stack: Stack) => Promise<System>) {
  const stack = new Stack();
  const workers = new Map<string, WorkerProcess>();
  let system: System;
  let seed = 400;
  let baseline: Promise<Effect[]> | undefined;

  beforeAll(async () => {
    system = await start(stack);
    stack.push(() => system.stop());
  });
  beforeEach(startMissing);
  afterAll(() => stack.unwind());

  async function startMissing(): Promise<void> {
    while (workers.size < 2) {
      const worker = await system.startWorker();
      workers.set(worker.id, worker);
    }
  }

  async function pushImage(): Promise<{ readonly image: BuiltImage; readonly repository: string; readonly source: string }> {
    seed += 1;
    const repository = `team/app-${seed}`;
    const image = buildImage({ seed, layerBytes: 1_000_000 });
    await system.registry('ci-snapshots').push(repository, '1.0.0', image);
    return { image, repository, source: `ci-snapshots/${repository}:1.0.0` };
  }

  /** The worker that runs a promotion. */
  async function holderOf(promotionId: string): Promise<WorkerProcess> {
    const rows = await system.database.tables.$queryRaw<{ lease_holder: string }[]>`
      SELECT lease_holder FROM dispatch WHERE promotion_id = ${promotionId}::uuid AND state = 'leased'`;
    const worker = workers.get(rows[0]?.lease_holder ?? '');
    if (worker === undefined) throw new Error(`no worker holds the run of ${promotionId}`);
    return worker;
  }

  /** Each effect with how many records of it there are. */
  function effectsOf(promotionId: string): Promise<Effect[]> {
    return system.database.tables.$queryRaw<Effect[]>`
      SELECT e.kind, r.name AS registry, e.tag, e.state, e.outcome, count(p.id)::int AS records
      FROM effect e JOIN registry r ON r.id = e.registry_id LEFT JOIN provenance_record p ON p.effect_id = e.id
      WHERE e.promotion_id = ${promotionId}::uuid GROUP BY e.id, r.name ORDER BY r.name, e.kind, e.tag`;
  }

  /** The effects of a promotion that nothing happened to. */
  function undisturbed(): Promise<Effect[]> {
    const promote = async () => {
      const { source } = await pushImage();
      const effects = await effectsOf((await system.promote({ path: 'release', items: [{ source }] })).id);
      // A manifest and a tag at two targets.
      expect(effects).toHaveLength(4);
      for (const effect of effects) expect(effect).toMatchObject({ state: 'settled', outcome: 'written', records: 1 });
      return effects;
    };
    return (baseline ??= promote());
  }

  async function expectTakeover({ at, matches, fault, outcome }: Moment): Promise<void> {
    const { image, repository, source } = await pushImage();
    const reached = system.registry(at).proxy.once((request) => matches(request, image), fault);
    const id = await system.request({ path: 'release', items: [{ source }] });
    await reached;
    const victim = await holderOf(id);

    await victim.kill();
    workers.delete(victim.id);
    const [promotion] = await Promise.all([system.settled(id), startMissing()]);

    expect(promotion.state).toBe('succeeded');
    expect(targetOf(promotion, 'prod')).toMatchObject({ state: 'done', outcome, attempts: 2 });
    expect(targetOf(promotion, 'staging')).toMatchObject({ state: 'done' });
    expect(await effectsOf(id)).toEqual(await undisturbed());
    for (const registry of ['prod', 'staging']) {
      expect(await system.registry(registry).tagged(repository, '1.0.0')).toBe(image.manifest.digest);
    }
  }

  return {
    get system() {
      return system;
    },
    pushImage,
    holderOf,
    effectsOf,
    undisturbed,
    expectTakeover,
  };
}

function manifestsIn(writes: readonly string[]): string[] {
  return writes.filter((write) => write.includes('/manifests/'));
}
