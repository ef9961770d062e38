import { describe, expect, it } from '@jest/globals';
import type { RetentionRule } from '@waybill/topology';
import fc from 'fast-check';
import { policy, tag } from '../scene.spec-helper.js';
import { keptBy, plan, removedBy, Seen } from './naive.spec-helper.js';
import { graphs, nameOf, situations } from './random-repository.spec-helper.js';

const keepPinned = policy([{ name: 'pinned', action: 'keep', match: { tags: { glob: ['pinned'] } }, criteria: 'any' }], { name: 'pins' });

describe('invariant 3: a digest goes only when all of its tags are condemned', () => {
  it('decides about a digest and its tags together', () => {
    const seen = { gone: new Seen(), untagged: new Seen(), shared: new Seen() };

    fc.assert(
      fc.property(situations, (situation) => {
        const made = plan(situation);
        const kept = keptBy(made);
        for (const { digest, action } of made.tags) {
          expect(action === 'keep' || action === 'untag').toBe(kept.has(digest));
        }
        seen.gone.note(made.tags.some(({ action }) => action === 'delete'));
        seen.untagged.note(made.tags.some(({ action }) => action === 'untag'));
        seen.shared.note(made.tags.some(({ action, reasons }) => action === 'keep' && reasons.some(({ code }) => code === 'tag-kept')));
      }),
      graphs,
    );

    for (const one of Object.values(seen)) expect(one.count).toBeGreaterThan(0);
  });

  it('keeps a condemned digest for one more tag that a rule keeps', () => {
    const saved = new Seen();

    fc.assert(
      fc.property(situations, fc.nat(), (situation, number) => {
        const { snapshot, policies } = situation;
        const name = nameOf(number % snapshot.manifests.length);
        const pinned = tag('pinned', name);
        const made = plan(situation, { policies: [...policies, keepPinned], snapshot: { ...snapshot, tags: [...snapshot.tags, pinned] } });
        saved.note(removedBy(plan(situation)).has(pinned.digest));

        expect(keptBy(made)).toContain(pinned.digest);
      }),
      graphs,
    );

    expect(saved.count).toBeGreaterThan(0);
  });

  it('never takes a digest by taking tags off', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const policies = situation.policies.map(({ untagged: _, ...one }) => ({ ...one, rules: one.rules.map(asUntag) }));

        expect(plan(situation, { policies }).deletionOrder).toEqual([]);
      }),
      graphs,
    );
  });
});

function asUntag(rule: RetentionRule): RetentionRule {
  if (rule.action === 'keep') return rule;
  const { to: _, ...others } = rule;
  return { ...others, action: 'untag' };
}
