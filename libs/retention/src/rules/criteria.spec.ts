import { describe, expect, it } from '@jest/globals';
import type { AgeOf, KeepRule, RemovalRule } from '@waybill/topology';
import { day, daysAgo, deleteAll, manifest, outcome, planOf, policy, snapshot, tag, tagOutcome } from '../scene.spec-helper.js';
import type { RepositoryKnowledge, SnapshotManifest, SnapshotTag } from '../snapshot.js';

interface Facts {
  readonly manifest?: Partial<SnapshotManifest>;
  readonly tag?: Partial<SnapshotTag>;
  readonly knowledge?: Partial<RepositoryKnowledge>;
}

function repository({ manifest: facts = {}, tag: tagged = {}, knowledge = {} }: Facts, name = 'app') {
  const base = snapshot();
  return snapshot({
    manifests: [manifest(name, facts)],
    tags: [tag('1', name, tagged)],
    knowledge: { ...base.knowledge, ...knowledge },
  });
}

function olderThan(of: AgeOf, days = 30): RemovalRule {
  return { ...deleteAll, olderThan: { of, durationMs: days * day } };
}

const ages: readonly [string, AgeOf, Facts, string][] = [
  ['pushed long ago', 'pushed', {}, 'delete: removed-by-rule'],
  ['pushed lately', 'pushed', { manifest: { pushedAt: daysAgo(29) } }, 'keep: criteria-unmet, no-rule'],
  ['pushed just so long ago', 'pushed', { manifest: { pushedAt: daysAgo(30) } }, 'keep: criteria-unmet, no-rule'],
  ['pushed nobody knows when', 'pushed', { manifest: { pushedAt: 'unknown' } }, 'keep: time-unknown, no-rule'],
  ['pushed long ago, tagged lately', 'pushed', { tag: { taggedAt: daysAgo(5), seenSince: daysAgo(5) } }, 'keep: criteria-unmet, no-rule'],
  [
    'pushed long ago, seen tagged lately',
    'pushed',
    { tag: { taggedAt: 'unknown', seenSince: daysAgo(5) } },
    'keep: criteria-unmet, no-rule',
  ],
  ['never pulled', 'pulled', {}, 'delete: removed-by-rule'],
  ['never pulled, pushed nobody knows when', 'pulled', { manifest: { pushedAt: 'unknown' } }, 'delete: removed-by-rule'],
  ['pulled lately', 'pulled', { manifest: { lastPulledAt: daysAgo(3) } }, 'keep: criteria-unmet, no-rule'],
  ['pulled nobody knows when', 'pulled', { manifest: { lastPulledAt: 'unknown' } }, 'keep: time-unknown, no-rule'],
  ['never pulled since pulls are known', 'pulled', { knowledge: { pullsKnownSince: daysAgo(20) } }, 'keep: criteria-unmet, no-rule'],
  ['not pulled for as long as pulls are known', 'pulled', { knowledge: { pullsKnownSince: daysAgo(31) } }, 'delete: removed-by-rule'],
  ['pulled while nobody listened', 'pulled', { knowledge: { pullsKnownSince: 'unknown' } }, 'keep: time-unknown, no-rule'],
  ['created long ago', 'created', {}, 'delete: removed-by-rule'],
  ['created in 1970', 'created', { manifest: { createdAt: 0 } }, 'keep: time-unknown, no-rule'],
  ['created in the future', 'created', { manifest: { createdAt: daysAgo(-1) } }, 'keep: time-unknown, no-rule'],
  ['tagged long ago', 'tagged', {}, 'delete: removed-by-rule'],
  ['tagged lately', 'tagged', { tag: { taggedAt: daysAgo(5), seenSince: daysAgo(5) } }, 'keep: criteria-unmet, no-rule'],
  ['tagged nobody knows when', 'tagged', { tag: { taggedAt: 'unknown' } }, 'keep: time-unknown, no-rule'],
  ['idle', 'lastActive', {}, 'delete: removed-by-rule'],
  ['pushed long ago, pulled lately', 'lastActive', { manifest: { lastPulledAt: daysAgo(3) } }, 'keep: criteria-unmet, no-rule'],
];

describe('a rule about age', () => {
  it.each(ages)('decides about what was %s', (_, of, facts, expected) => {
    expect(tagOutcome(planOf([policy([olderThan(of)])], repository(facts)), '1')).toBe(expected);
  });

  it.each([
    ['gone for so long', daysAgo(31), 'delete: removed-by-rule'],
    ['gone lately', daysAgo(5), 'keep: criteria-unmet, no-rule'],
    ['there', 'present' as const, 'keep: criteria-unmet, no-rule'],
    ['perhaps there', 'unknown' as const, 'keep: time-unknown, no-rule'],
  ])('decides about what is %s elsewhere', (_, since, expected) => {
    const rule = { ...deleteAll, absentFrom: { registry: 'prod', durationMs: 30 * day } };
    const facts = { manifest: { absences: [{ registry: 'prod', since }] } };

    expect(tagOutcome(planOf([policy([rule])], repository(facts)), '1')).toBe(expected);
  });

  it.each([
    ['any', 'delete: removed-by-rule'],
    ['all', 'keep: criteria-unmet, no-rule'],
  ] as const)('asks for %s of its criteria', (criteria, expected) => {
    const rule = { ...olderThan('pushed'), criteria, absentFrom: { registry: 'prod', durationMs: 0 } };
    const facts = { manifest: { absences: [{ registry: 'prod', since: 'present' as const }] } };

    expect(tagOutcome(planOf([policy([rule])], repository(facts)), '1')).toBe(expected);
  });

  it('does not know of an absence that nobody looked for', () => {
    const rule = { ...deleteAll, absentFrom: { registry: 'prod', durationMs: 0 } };

    expect(tagOutcome(planOf([policy([rule])], repository({})), '1')).toBe('keep: time-unknown, no-rule');
  });
});

describe('what no tag names', () => {
  const untagged = (facts: Partial<SnapshotManifest>, knowledge: Partial<RepositoryKnowledge> = {}) => ({
    ...repository({ manifest: facts, knowledge }),
    tags: [],
  });

  it.each<[string, Partial<SnapshotManifest>, string]>([
    ['never had a tag', {}, 'delete: untagged-expired'],
    ['lost its tag long ago', { untaggedAt: daysAgo(20) }, 'delete: untagged-expired'],
    ['lost its tag lately', { untaggedAt: daysAgo(3) }, 'keep: criteria-unmet, no-rule'],
    ['lost its tag nobody knows when', { untaggedAt: 'unknown' }, 'keep: time-unknown, no-rule'],
    ['is pulled by its digest', { lastPulledAt: daysAgo(3) }, 'keep: criteria-unmet, no-rule'],
    ['was seen long ago and pushed nobody knows when', { pushedAt: 'unknown' }, 'delete: untagged-expired'],
    ['was pushed lately', { pushedAt: daysAgo(3) }, 'keep: criteria-unmet, no-rule'],
  ])('goes by the untagged clause or not: it %s', (_, facts, expected) => {
    expect(outcome(planOf([policy([], { untagged: { olderThanMs: 7 * day } })], untagged(facts)), 'app')).toBe(expected);
  });

  it('stays without an untagged clause or a rule', () => {
    expect(outcome(planOf([policy([])], untagged({})), 'app')).toBe('keep: no-rule');
  });

  it('is not there to be untagged', () => {
    expect(outcome(planOf([policy([{ ...deleteAll, action: 'untag' }])], untagged({})), 'app')).toBe('keep: no-rule');
  });

  it('stays under a rule about its age while somebody may pull it', () => {
    const plan = planOf([policy([olderThan('created')])], untagged({}, { pullsKnownSince: 'unknown' }));

    expect(outcome(plan, 'app')).toBe('keep: time-unknown, no-rule');
  });
});

describe('a rule that keeps', () => {
  const keep = (facts: Partial<KeepRule>): KeepRule => ({ name: 'keep', action: 'keep', match: {}, criteria: 'any', ...facts });
  const under = (rule: KeepRule, facts: Facts = {}) => tagOutcome(planOf([policy([rule, deleteAll])], repository(facts)), '1');

  it.each<[string, Partial<KeepRule>, Facts, string]>([
    ['without criteria', {}, {}, 'keep: kept-by-rule, overruled'],
    ['within the time', { within: { of: 'pushed', durationMs: 100 * day } }, {}, 'keep: kept-by-rule, overruled'],
    ['beyond the time', { within: { of: 'pushed', durationMs: 99 * day } }, {}, 'delete: removed-by-rule'],
    [
      'within an unknown time',
      { within: { of: 'pushed', durationMs: day } },
      { manifest: { pushedAt: 'unknown' } },
      'keep: time-unknown, overruled',
    ],
    [
      'of a platform that nobody knows',
      { match: { platforms: ['linux/arm'] } },
      { manifest: { platforms: 'unknown' } },
      'keep: metadata-unknown, overruled',
    ],
    ['of no version', { mostRecent: { by: 'semver', count: 1 } }, { tag: {} }, 'keep: metadata-unknown, overruled'],
    [
      'with all criteria, one of them unmet',
      { criteria: 'all', mostRecent: { by: 'pushed', count: 1 }, within: { of: 'pushed', durationMs: day } },
      {},
      'delete: removed-by-rule',
    ],
    [
      'with any criterion',
      { mostRecent: { by: 'pushed', count: 1 }, within: { of: 'pushed', durationMs: day } },
      {},
      'keep: kept-by-rule, overruled',
    ],
    ['of what was never promoted', { mostRecent: { by: 'promoted', count: 1 } }, {}, 'delete: removed-by-rule'],
  ])('decides %s', (_, facts, of, expected) => {
    expect(under(keep(facts), of)).toBe(expected);
  });
});
