import { describe, expect, it } from '@jest/globals';
import {
  daysAgo,
  decisionOf,
  deleteAll,
  deleteOld,
  digest,
  manifest,
  outcome,
  planOf,
  policy,
  reservedTag,
  snapshot,
  tag,
  tagDecisionOf,
  tagOutcome,
} from './scene.spec-helper.js';

describe('a plan', () => {
  it('deletes an artifact of which every tag is condemned', () => {
    const plan = planOf([policy([deleteOld])], snapshot({ manifests: [manifest('app')], tags: [tag('1', 'app'), tag('2', 'app')] }));

    expect(decisionOf(plan, 'app')).toEqual({
      digest: digest('app'),
      action: 'delete',
      isUnknown: false,
      isLogical: true,
      reasons: [{ code: 'removed-by-rule', policy: 'policy', rule: 'old' }],
    });
    expect(plan.tags.map(({ action }) => action)).toEqual(['delete', 'delete']);
    expect(plan.deletionOrder).toEqual([digest('app')]);
    expect(plan.totals).toEqual({ artifacts: 1, removals: 1 });
  });

  it('keeps a digest, and the condemned tag with it, while one of its tags stays', () => {
    const rule = { ...deleteAll, match: { tags: { glob: ['br-*'] } } };
    const plan = planOf([policy([rule])], snapshot({ manifests: [manifest('app')], tags: [tag('br-1', 'app'), tag('v1', 'app')] }));

    expect(decisionOf(plan, 'app').reasons).toEqual([
      { code: 'tag-kept', tag: 'v1' },
      { code: 'overruled', policy: 'policy', rule: 'everything' },
    ]);
    expect(tagDecisionOf(plan, 'br-1').reasons).toEqual([
      { code: 'tag-kept', tag: 'v1' },
      { code: 'overruled', policy: 'policy', rule: 'everything' },
    ]);
    expect(tagOutcome(plan, 'v1')).toBe('keep: no-rule');
  });

  it('takes children, signatures and what refers to them along, each after what it hangs on', () => {
    const plan = planOf(
      [policy([deleteAll])],
      snapshot({
        manifests: [
          manifest('index', {}, { children: ['amd64', 'arm64'] }),
          manifest('amd64'),
          manifest('arm64'),
          manifest('sbom', {}, { subject: 'amd64' }),
          manifest('signature of sbom', {}, { subject: 'sbom' }),
          manifest('signature'),
          manifest('fallback', {}, { children: ['sbom'] }),
        ],
        tags: [tag('1', 'index'), tag(reservedTag('index', '.sig'), 'signature'), tag(reservedTag('amd64'), 'fallback')],
      }),
    );
    const at = (name: string): number => plan.deletionOrder.indexOf(digest(name));

    expect(plan.manifests.map(({ action }) => action)).toEqual(plan.manifests.map(() => 'delete'));
    expect(plan.tags.map(({ action }) => action)).toEqual(['delete', 'delete', 'delete']);
    expect(outcome(plan, 'arm64')).toBe('delete: child-of-removed');
    expect(outcome(plan, 'sbom')).toBe('delete: child-of-removed, referrer-of-removed');
    for (const [before, after] of [
      ['index', 'amd64'],
      ['index', 'arm64'],
      ['amd64', 'fallback'],
      ['fallback', 'sbom'],
      ['sbom', 'signature of sbom'],
      ['index', 'signature'],
    ] as const) {
      expect(at(before)).toBeLessThan(at(after));
    }
    expect(plan.totals).toEqual({ artifacts: 1, removals: 1 });
  });

  it('says which kept artifact another is kept for', () => {
    const rule = { ...deleteAll, match: { tags: { glob: ['old'] } } };
    const plan = planOf(
      [policy([rule])],
      snapshot({
        manifests: [
          manifest('old', {}, { children: ['shared', 'own'] }),
          manifest('new', {}, { children: ['shared'] }),
          manifest('shared'),
          manifest('own'),
          manifest('signature', {}, { subject: 'new' }),
        ],
        tags: [tag('old', 'old'), tag('new', 'new')],
      }),
    );

    expect(outcome(plan, 'old')).toBe('delete: removed-by-rule');
    expect(outcome(plan, 'own')).toBe('delete: child-of-removed');
    expect(decisionOf(plan, 'shared').reasons).toEqual([{ code: 'child-of', digest: digest('new') }]);
    expect(decisionOf(plan, 'signature').reasons).toEqual([{ code: 'referrer-of', digest: digest('new') }]);
  });

  it('only takes the tag off where a rule says untag', () => {
    const rule = { ...deleteAll, action: 'untag' as const, match: { tags: { glob: ['br-*'] } } };
    const plan = planOf([policy([rule])], snapshot({ manifests: [manifest('app')], tags: [tag('br-1', 'app')] }));

    expect(tagOutcome(plan, 'br-1')).toBe('untag: removed-by-rule');
    expect(decisionOf(plan, 'app').reasons).toEqual([{ code: 'untag-only', tag: 'br-1' }]);
    expect(plan.totals).toEqual({ artifacts: 1, removals: 1 });
  });

  it('archives before it deletes, and with the artifact what hangs on it', () => {
    const archive = { ...deleteAll, action: 'archive' as const, to: 'archive' };
    const plan = planOf(
      [policy([archive, deleteOld])],
      snapshot({ manifests: [manifest('index', {}, { children: ['amd64'] }), manifest('amd64')], tags: [tag('1', 'index')] }),
    );

    expect(decisionOf(plan, 'index')).toMatchObject({ action: 'archive', archiveTo: ['archive'] });
    expect(decisionOf(plan, 'amd64')).toMatchObject({ action: 'archive', archiveTo: ['archive'] });
    expect(tagOutcome(plan, '1')).toBe('archive: removed-by-rule, removed-by-rule');
  });

  it('keeps what a tag may be rolled back to, as deep as the policy says', () => {
    const rule = { ...deleteAll, match: { tagState: 'untagged' as const } };
    const protect = { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 2 };
    const plan = planOf(
      [policy([rule], { protect })],
      snapshot({
        manifests: ['four', 'three', 'two', 'one'].map((name) => manifest(name)),
        tags: [tag('latest', 'four', { history: ['three', 'four', 'three', 'two', 'one'].map(digest) })],
      }),
    );

    expect(outcome(plan, 'three')).toBe('keep: rollback, overruled');
    expect(outcome(plan, 'two')).toBe('keep: rollback, overruled');
    expect(outcome(plan, 'one')).toBe('delete: removed-by-rule');
  });

  it('names both policies where two disagree', () => {
    const keep = { name: 'main', action: 'keep', match: {}, criteria: 'any' } as const;
    const plan = planOf(
      [policy([deleteOld], { name: 'clean' }), policy([keep], { name: 'careful' })],
      snapshot({ manifests: [manifest('app')], tags: [tag('1', 'app')] }),
    );

    expect(tagDecisionOf(plan, '1').reasons).toEqual([
      { code: 'kept-by-rule', policy: 'careful', rule: 'main' },
      { code: 'overruled', policy: 'clean', rule: 'old' },
    ]);
  });

  it('counts bytes of what goes, and blobs that nothing kept needs', () => {
    const blob = (name: string, size: number) => ({ id: digest(`blob ${name}`), size });
    const rule = { ...deleteAll, match: { tags: { glob: ['old*'] } } };
    const plan = planOf(
      [policy([rule])],
      snapshot({
        manifests: [
          manifest('a', { size: 10, blobs: [blob('base', 1_000), blob('a', 200)] }),
          manifest('b', { size: 20, blobs: [blob('base', 1_000), blob('a', 200), blob('b', 300)] }),
          manifest('c', { size: 40, blobs: [blob('base', 1_000)] }),
        ],
        tags: [tag('old-a', 'a'), tag('old-b', 'b'), tag('c', 'c')],
      }),
    );

    expect(plan.reclaimableBytesAtMost).toBe(10 + 20 + 200 + 300);
  });

  it('decides about a repository without anything', () => {
    expect(planOf([policy([deleteAll])], snapshot())).toMatchObject({
      manifests: [],
      tags: [],
      deletionOrder: [],
      reclaimableBytesAtMost: 0,
    });
  });

  it.each([
    ['a digest', { manifests: [manifest('app'), manifest('app')] }],
    ['a tag', { manifests: [manifest('app')], tags: [tag('1', 'app'), tag('1', 'app')] }],
  ])('is none of a snapshot that holds %s twice', (_, facts) => {
    expect(() => planOf([policy([deleteAll])], snapshot(facts))).toThrow(expect.objectContaining({ code: 'snapshot-invalid' }));
  });

  it('leaves signatures alone that sign each other, and goes to its end', () => {
    const plan = planOf(
      [policy([deleteAll], { untagged: { olderThanMs: 0 } })],
      snapshot({
        manifests: [manifest('a'), manifest('b'), manifest('old', { pushedAt: daysAgo(400) })],
        tags: [tag(reservedTag('a', '.sig'), 'b'), tag(reservedTag('b', '.sig'), 'a')],
      }),
    );

    expect(outcome(plan, 'a')).toMatch(/^keep: /);
    expect(outcome(plan, 'b')).toMatch(/^keep: /);
    expect(outcome(plan, 'old')).toMatch(/^delete: /);
  });

  it.each([
    ['kept', [], 'keep'],
    ['removed', [deleteAll], 'delete'],
  ] as const)(
    'is made of more tags, referrers and parents than a call has room for arguments, all %s',
    (_, rules, action) => {
      const many = Array.from({ length: 130_000 }, (__, at) => at);
      const plan = planOf(
        [policy(rules)],
        snapshot({
          manifests: [
            manifest('app'),
            manifest('base'),
            ...many.map((at) => manifest(`index ${at}`, { children: [digest('base')], subject: digest('app') })),
          ],
          tags: many.map((at) => tag(`b${at}`, 'app')),
        }),
      );

      expect(plan.manifests.every((decision) => decision.action === action)).toBe(true);
      expect(decisionOf(plan, 'base').reasons).toEqual([expect.objectContaining({ more: many.length - 1 })]);
      expect(plan.tags.every((decision) => decision.action === action)).toBe(true);
    },
    120_000,
  );
});
