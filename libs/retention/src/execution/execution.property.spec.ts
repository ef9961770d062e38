import { describe, expect, it } from '@jest/globals';
import type { Digest, Tag } from '@waybill/oci-model';
import { propertyRuns } from '@waybill/testing';
import fc from 'fast-check';
import { executeRepository } from './execute-repository.js';
import { markRepository } from './mark-repository.js';
import { Death, World } from './world.spec-helper.js';

const runs = propertyRuns('WAYBILL_TEST_GRAPHS', 100);
const signal = new AbortController().signal;

const place = fc.nat({ max: 30 });
const part = fc.oneof(
  fc.record({ kind: fc.constant('image' as const) }),
  fc.record({ kind: fc.constant('index' as const), of: fc.array(place, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('referrer' as const), of: place }),
);
const tags = fc.array(fc.record({ name: fc.constantFrom('br-1', 'br-2', 'br-3', 'br-4', 'v1', 'v2', 'tmp-1', 'tmp-2'), of: place }), {
  minLength: 2,
  maxLength: 8,
});
const event = fc.record({
  what: fc.constantFrom(
    'tag' as const,
    'index' as const,
    'promote' as const,
    'hold' as const,
    'move' as const,
    'remove' as const,
    'untag' as const,
  ),
  of: place,
  at: fc.nat({ max: 60 }),
});
const situation = fc.record({
  parts: fc.array(part, { minLength: 3, maxLength: 14 }),
  tags,
  events: fc.array(event, { maxLength: 3 }),
  deaths: fc.array(
    fc.record({ at: fc.integer({ min: 1, max: 80 }), kind: fc.constantFrom('death-before' as const, 'death-after' as const) }),
    { maxLength: 2 },
  ),
});
type Situation = typeof situation extends fc.Arbitrary<infer Value> ? Value : never;

function build({ parts, tags: named }: Pick<Situation, 'parts' | 'tags'>): { readonly world: World; readonly digests: readonly Digest[] } {
  const world = new World();
  const digests: Digest[] = [];
  const at = (number: number): Digest[] => digests.slice(number % Math.max(1, digests.length)).slice(0, 1);
  for (const [number, made] of parts.entries()) {
    if (made.kind === 'image') digests.push(world.image(`${number}`));
    else if (made.kind === 'index') digests.push(world.index([...new Set(made.of.flatMap(at))], { note: `${number}` }));
    else for (const subject of at(made.of).slice(0, 1)) digests.push(world.image(`${number}`, { subject }));
  }
  for (const { name, of } of named) for (const digest of at(of)) world.tag(name, digest);
  return { world, digests };
}

/** Only what is there when it happens can be tagged or listed. */
function happen(world: World, digests: readonly Digest[], { what, of, at }: Situation['events'][number]): void {
  const digest = digests[of % Math.max(1, digests.length)];
  if (digest === undefined || !world.manifests.has(digest)) return;
  if (what === 'tag') world.tag(`v9-${at}`, digest);
  else if (what === 'move') world.tag('v1', digest);
  else if (what === 'index') world.index([digest], { tag: `v8-${at}`, note: `late ${at}` });
  else if (what === 'promote') world.promote(digest);
  else if (what === 'remove') removeUnlisted(world, digest);
  else if (what === 'untag') world.tags.delete('v1' as Tag);
  else world.protections = { holds: [{ id: 'h', reason: '', kind: 'digest', digest }] };
}

/** A registry may refuse to take back an index that lists what somebody has removed. */
function removeUnlisted(world: World, digest: Digest): void {
  const listed = [...world.first(), ...world.snapshot().manifests].flatMap(({ children }) => children);
  if (!listed.includes(digest)) world.remove(digest);
}

interface Played {
  readonly world: World;
  readonly planned: ReadonlySet<string>;
  /** Tags that the plan leaves alone: wherever they are moved, they name something in the end. */
  readonly kept: readonly Tag[];
}

/** Carries it out, dying where the situation says so, and gives the world as it is left. */
async function play({ events, deaths, ...scene }: Situation): Promise<Played> {
  const { world, digests } = build(scene);
  const plan = world.plan();
  const planned = new Set(plan.deletionOrder);
  const kept = plan.tags.flatMap(({ tag, action }) => (action === 'keep' ? [tag as Tag] : []));
  await markRepository(world.ports(), signal);
  world.calls = 0;
  let done = 0;
  world.meanwhile = (_call, number) => {
    for (const one of events.filter(({ at }) => at === number)) happen(world, digests, one);
  };
  for (const fault of [...deaths, undefined]) {
    world.fault = fault === undefined ? undefined : { ...fault, at: done + fault.at };
    await executeRepository(world.ports({ withTrash: true }), signal).catch((error: unknown) => {
      if (!(error instanceof Death)) throw error;
    });
    done = world.calls;
  }
  return { world, planned, kept };
}

describe('execution over random repositories', () => {
  it('deletes nothing but what its own plan condemned', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const { world, planned } = await play(one);
        expect(world.deleted.filter((digest) => !planned.has(digest))).toEqual([]);
      }),
      runs,
    );
  });

  it('deletes nothing that today’s plan keeps', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const { world } = await play({ ...one, deaths: [] });
        const today = new Set(world.plans[1]?.deletionOrder);
        expect(world.deleted.filter((digest) => !today.has(digest))).toEqual([]);
      }),
      runs,
    );
  });

  it('leaves every tag and every index whole, whoever pushes and whoever dies meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const { world, kept } = await play(one);
        expect(world.holes()).toEqual([]);
        const isRemoving = one.events.some(({ what }) => what === 'remove' || what === 'untag');
        expect(kept.filter((tag) => !isRemoving && !world.tags.has(tag))).toEqual([]);
        expect(world.effects.filter(({ outcome }) => outcome === undefined)).toEqual([]);
      }),
      runs,
    );
  });

  it('leaves no tag on anything that nobody has written it on', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const { world } = await play(one);
        expect([...world.tags].filter(([tag, digest]) => world.written.get(tag)?.has(digest) !== true)).toEqual([]);
      }),
      runs,
    );
  });

  it('deletes parents before children', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const { world } = await play(one);
        const order = new Map(world.deleted.map((digest, at) => [digest, at]));
        for (const { children, digest } of world.first()) {
          for (const child of children) {
            const [first, then] = [order.get(digest as Digest), order.get(child as Digest)];
            if (then !== undefined && first !== undefined) expect(first).toBeLessThan(then);
          }
        }
      }),
      runs,
    );
  });

  it('comes to the end that it comes to undisturbed, wherever it dies', async () => {
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const disturbed = await play({ ...one, events: [] });
        const whole = await play({ ...one, events: [], deaths: [] });
        expect(disturbed.world.end()).toEqual(whole.world.end());
      }),
      runs,
    );
  });
});
