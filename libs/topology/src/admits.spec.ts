import { describe, expect, it } from '@jest/globals';
import { admits } from './admits.js';
import { pathWith } from './questions.spec-helper.js';

describe('admits', () => {
  it('admits what repositories and tags allow', () => {
    expect(admits(pathWith(), 'team-a/app', 'v1')).toEqual({ admitted: true });
  });

  it.each([
    ['another repository', 'other/app', 'v1', 'path "release" does not carry repository "other/app": it carries "team-*/**"'],
    ['another tag', 'team-a/app', 'latest', 'path "release" does not carry tag "latest": tags must match v[0-9]+'],
    ['a tag that only contains a good one', 'team-a/app', 'xv1', 'does not carry tag "xv1"'],
    ['no repository name', 'Team/app', 'v1', '"Team/app" is not a repository name'],
    ['no tag', 'team-a/app', '-v1', '"-v1" is not a tag'],
    ['a very long word', 'team-a/app', 'v'.repeat(5000), `"${'v'.repeat(150)}…" is not a tag`],
  ])('refuses %s and says why', (_name, repository, tag, reason) => {
    expect(admits(pathWith(), repository, tag)).toEqual({ admitted: false, reason: expect.stringContaining(reason) });
  });

  it.each([`sha256-${'a'.repeat(64)}`, `sha256-${'a'.repeat(64)}.sig`])('refuses reserved tags on every path: %s', (tag) => {
    expect(admits(pathWith({ tags: '.*' }), 'team-a/app', tag)).toEqual({
      admitted: false,
      reason: expect.stringContaining('is a reserved tag'),
    });
  });

  it('refuses what was deleted, whatever the path carries', () => {
    expect(admits(pathWith({ repositories: ['**'] }), 'waybill-trash/team-a/app', 'v1')).toEqual({
      admitted: false,
      reason: '"waybill-trash/team-a/app" holds what was deleted: have it restored first',
    });
  });

  it('refuses a repository that the template makes no name of', () => {
    const path = pathWith({ repositories: ['**'], target: '{namespace}' });

    expect(admits(path, 'a/app', 'v1')).toEqual({ admitted: true });
    expect(admits(path, 'app', 'v1')).toEqual({
      admitted: false,
      reason: 'target "{namespace}" of path "release" makes no repository name of "app"',
    });
  });

  it('refuses a name that the template makes too long', () => {
    const path = pathWith({ repositories: ['**'], target: 'long/{repository}' });

    expect(admits(path, 'a'.repeat(255), 'v1').admitted).toBe(false);
  });

  it('lists no more than five of many patterns', () => {
    const path = pathWith({ repositories: Array.from({ length: 12 }, (_item, index) => `r${index}`) });

    expect(admits(path, 'x', 'v1')).toEqual({ admitted: false, reason: expect.stringMatching(/"r0", "r1", "r2", "r3", "r4" and 7 more$/) });
  });
});
