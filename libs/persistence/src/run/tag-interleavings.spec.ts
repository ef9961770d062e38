import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import { runLocation, type RunPorts } from '@waybill/promotion';
import { propertyRuns } from '@waybill/testing';
import fc from 'fast-check';
import { manifestNamed, MemoryCopier, Scene } from '../scene.spec-helper.js';
import { closeRun } from './close-run.js';
import { loadRun } from './load-run.js';
import type { DispatchMessage } from './outbox.js';

const cases = propertyRuns('WAYBILL_TEST_INTERLEAVINGS', 20);
const registry = 'prod-b';

type Port = Readonly<Record<string, unknown>>;
/** Called before each step of a run; whoever is let go on next is chosen by a plan. */
type Turn = (step: string) => Promise<void>;

/** The same port, each of whose steps waits for its turn before and after. */
function inTurns<T extends object>(port: T, turn: Turn): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = (target as Port)[name as string];
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        await turn(`before ${String(name)}`);
        const result: unknown = await Reflect.apply(value, target, args);
        await turn(`after ${String(name)}`);
        return result;
      };
    },
  });
}

/** A registry that remembers what was written to a tag, by whomever. */
class WrittenTags {
  readonly tags = new Map<string, Digest>();
  readonly writes: Digest[] = [];

  copierOf(manifest: Manifest): MemoryCopier {
    const copier = new MemoryCopier(manifest, this.tags);
    const put = copier.putTargetTag;
    copier.putTargetTag = (...args) => {
      this.writes.push(manifest.digest);
      return put(...args);
    };
    return copier;
  }
}

describe('two promotions to one tag', () => {
  let scene: Scene;
  let count = 0;

  beforeAll(async () => {
    scene = await Scene.start({ maxConnections: 6 });
  });
  afterAll(() => scene.close());

  const nextTag = (): Tag => `of-${(count += 1)}` as Tag;

  /** What a worker does with a message, in turns; again until nothing is left to do. */
  async function work(message: DispatchMessage, copier: MemoryCopier, turn: Turn): Promise<void> {
    await turn('before claim');
    const lease = await scene.claim(message);
    const loaded = await loadRun(scene.database, message.promotionId, message.location);
    if (loaded === undefined) throw new Error('there is nothing to run');
    const ports: RunPorts = {
      copier: inTurns(copier, turn),
      journal: inTurns(scene.journal(lease), turn),
      retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 },
    };
    await runLocation(loaded.run, ports, new AbortController().signal);
    await turn('before close');
    await closeRun(scene.database, lease);
  }

  async function outcomeOf(id: string): Promise<string | null | undefined> {
    const { items } = await scene.promotion(id);
    return items[0]?.targets[0]?.outcome;
  }

  it(`end with the later one's digest, and the earlier is never written after it, in ${cases.numRuns} interleavings`, async () => {
    const before = fc.constantFrom('absent', 'digest', 'unknown');
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), before, fc.boolean(), async (scheduler, held, startsLater) => {
        const tag = nextTag();
        const [old, earlier, later] = [manifestNamed(`old ${tag}`), manifestNamed(`earlier ${tag}`), manifestNamed(`later ${tag}`)];
        const registryTags = new WrittenTags();
        if (held !== 'absent') registryTags.tags.set(`${registry}:${tag}`, old.digest);
        const expected = held === 'digest' ? ({ kind: held, digest: old.digest } as const) : ({ kind: held } as const);
        const request = (manifest: Manifest) => scene.request({ targets: [registry], tags: [tag], expected, manifest });
        const first = await request(earlier);
        const second = await request(later);
        const messages = await scene.takeMessages();
        const messageOf = (id: string): DispatchMessage => {
          const message = messages.find(({ promotionId }) => promotionId === id);
          if (message === undefined) throw new Error(`nothing was dispatched for ${id}`);
          return message;
        };

        const turn: Turn = (step) => scheduler.schedule(Promise.resolve(), step);
        const runs = [
          () => work(messageOf(first), registryTags.copierOf(earlier), turn),
          () => work(messageOf(second), registryTags.copierOf(later), turn),
        ];
        await scheduler.waitFor(Promise.all((startsLater ? runs.reverse() : runs).map((run) => run())));

        expect(registryTags.tags.get(`${registry}:${tag}`)).toBe(later.digest);
        expect(registryTags.writes.at(-1)).toBe(later.digest);
        expect(registryTags.writes.filter((digest) => digest === later.digest)).toHaveLength(1);
        expect(await outcomeOf(second)).toBe('copied');
        expect(await outcomeOf(first)).toBe(registryTags.writes.length === 2 ? 'copied' : 'superseded');
      }),
      { ...cases, endOnFailure: true },
    );
  }, 1_800_000);

  /** Runs a promotion during which another writer moves the tag at the nth moment; gives what became of it, and the moment. */
  async function disturbed(nth: number) {
    const tag = nextTag();
    const [ours, foreign] = [manifestNamed(`ours ${tag}`), manifestNamed(`foreign ${tag}`)];
    const registryTags = new WrittenTags();
    const id = await scene.request({ targets: [registry], tags: [tag], manifest: ours });
    let moments = 0;
    let moment: string | undefined;
    const turn: Turn = (step) => {
      moments += 1;
      if (moments === nth) {
        moment = step;
        registryTags.tags.set(`${registry}:${tag}`, foreign.digest);
      }
      return Promise.resolve();
    };
    await work(await scene.messageOf(id), registryTags.copierOf(ours), turn);
    return { moment, outcome: await outcomeOf(id), holdsForeign: registryTags.tags.get(`${registry}:${tag}`) === foreign.digest };
  }

  it('report another writer who moves the tag, but where no registry can tell of it', async () => {
    const seen: Awaited<ReturnType<typeof disturbed>>[] = [];
    for (let nth = 1, last = await disturbed(nth); last.moment !== undefined; nth += 1, last = await disturbed(nth)) seen.push(last);

    const unreported = seen.filter(({ outcome }) => outcome !== 'conflict');
    const momentsOf = (holdsForeign: boolean) => unreported.filter((one) => one.holdsForeign === holdsForeign).map(({ moment }) => moment);
    // Between the last look and our own write there is no condition that a registry would check (DESIGN section 4, tag).
    expect(momentsOf(false)).toEqual(['after resolveTargetTag', 'before intendTag', 'after intendTag', 'before putTargetTag']);
    // Once our write was read back it stood; who moves the tag later moves one that is ours no more.
    expect(momentsOf(true)).toEqual([
      'after resolveTargetTag',
      'before settleTag',
      'after settleTag',
      'before finish',
      'after finish',
      'before close',
    ]);
    expect(seen.length - unreported.length).toBeGreaterThan(20);
  });
});
