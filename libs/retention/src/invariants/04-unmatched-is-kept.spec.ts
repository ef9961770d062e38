import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plan, removedBy, Seen, standAlone, userTagged } from './naive.spec-helper.js';
import { graphs, situations } from './random-repository.spec-helper.js';

describe('invariant 4: what no rule removes is kept', () => {
  it('removes nothing once the rules are gone that it named', () => {
    const removed = new Seen();

    fc.assert(
      fc.property(situations, (situation) => {
        const made = plan(situation);
        const named = new Set(
          [...made.manifests, ...made.tags]
            .filter(({ action }) => action !== 'keep')
            .flatMap(({ reasons }) => reasons.map(({ policy, rule }) => `${policy}/${rule}`)),
        );
        const policies = situation.policies.map(({ untagged, ...one }) => ({
          ...one,
          rules: one.rules.filter(({ name }) => !named.has(`${one.name}/${name}`)),
          ...(untagged === undefined || named.has(`${one.name}/undefined`) ? {} : { untagged }),
        }));
        removed.note(made.deletionOrder.length > 0);

        expect(plan(situation, { policies }).deletionOrder).toEqual([]);
      }),
      graphs,
    );

    expect(removed.count).toBeGreaterThan(0);
  });

  it('names a rule of removal, or the untagged, for each artifact that others follow', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const made = plan(situation);
        const alone = standAlone(situation.snapshot);
        const tagged = userTagged(situation.snapshot);
        const removals = new Set(
          situation.policies.flatMap(({ name, rules }) =>
            rules.filter(({ action }) => action !== 'keep').map((rule) => `${name}/${rule.name}`),
          ),
        );
        for (const { digest, action, reasons } of made.manifests) {
          if (action === 'keep' || !(alone.has(digest) || tagged.has(digest))) continue;
          const condemning = reasons.filter(
            ({ code, policy, rule }) => code === 'untagged-expired' || (code === 'removed-by-rule' && removals.has(`${policy}/${rule}`)),
          );

          expect(condemning).not.toEqual([]);
        }
      }),
      graphs,
    );
  });

  it('removes nothing that no rule matches', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const policies = situation.policies.map(({ untagged: _, ...one }) => ({
          ...one,
          rules: one.rules.map((rule) => ({ ...rule, match: { tags: { glob: ['no-such-tag'] } } })),
        }));

        expect(removedBy(plan(situation, { policies })).size).toBe(0);
      }),
      graphs,
    );
  });
});
