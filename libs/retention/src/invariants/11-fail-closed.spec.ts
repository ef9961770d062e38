import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digest, now, tag } from '../scene.spec-helper.js';
import { actionsOf, plan, Seen } from './naive.spec-helper.js';
import { graphs, type Situation, situations } from './random-repository.spec-helper.js';

type Trouble = (situation: Situation) => Situation;

const knowing =
  (knowledge: Partial<Situation['snapshot']['knowledge']>): Trouble =>
  (situation) => ({
    ...situation,
    snapshot: { ...situation.snapshot, knowledge: { ...situation.snapshot.knowledge, ...knowledge } },
  });

const silent =
  (repositories: readonly string[] | undefined): Trouble =>
  (situation) => {
    const scope = { reporter: 'cluster', ...(repositories === undefined ? {} : { repositories }) };
    const inUse = { ...situation.protections.inUse, unknownScopes: [scope] };
    return { ...situation, protections: { ...situation.protections, inUse } };
  };

const troubles: readonly [string, Trouble][] = [
  ['was never crawled to the end', knowing({ lastFullCrawlStartedAt: 'none' })],
  ['was crawled in the future', knowing({ lastFullCrawlStartedAt: now + 1 })],
  ['has a crawl of no time', knowing({ lastFullCrawlStartedAt: Number.NaN })],
  ['has one unreadable manifest', knowing({ unreadableManifests: 1 })],
  ['lost too many tags at once', knowing({ isSuspect: true })],
  [
    'has a tag of which the manifest was never read',
    (situation) => ({
      ...situation,
      snapshot: { ...situation.snapshot, tags: [...situation.snapshot.tags, { ...tag('unread', 'x'), digest: digest('unread') }] },
    }),
  ],
  ['is covered by a reporter that fell silent', silent(['team/**'])],
  ['is covered by a silent reporter of everything', silent(undefined)],
];

describe('invariant 11: what is not known of a repository keeps all of it', () => {
  it.each(troubles)('removes nothing from a repository that %s', (_, trouble) => {
    const removed = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const made = plan(trouble(situation));
        removed.note(plan(situation).totals.removals > 0);

        expect(new Set(Object.values(actionsOf(made)))).toEqual(new Set(['keep']));
        expect(made).toMatchObject({ deletionOrder: [], reclaimableBytesAtMost: 0, totals: { removals: 0 } });
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });

  it('minds no reporter that covers other repositories', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        expect(plan(silent(['other/**'])(situation))).toEqual(plan(situation));
      }),
      graphs,
    );
  });
});
