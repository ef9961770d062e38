import { describe, expect, it } from '@jest/globals';
import { allows, everything, type Grant } from './grants.js';

const release: Grant = { verbs: ['promotions:create'], paths: ['release'], repositories: ['team-a/**', 'waybill'] };

describe('allows', () => {
  it.each([
    ['its own path and repository', { path: 'release', repository: 'team-a/app' }, true],
    ['a repository named whole', { path: 'release', repository: 'waybill' }, true],
    ['a deeper repository', { path: 'release', repository: 'team-a/x/y' }, true],
    ['another repository', { path: 'release', repository: 'team-b/app' }, false],
    ['a repository that only begins alike', { path: 'release', repository: 'team-ab/app' }, false],
    ['another path', { path: 'keep', repository: 'team-a/app' }, false],
    ['no repository at all', { path: 'release' }, true],
  ])('%s: %j → %s', (_title, scope, allowed) => {
    expect(allows([release], 'promotions:create', scope)).toBe(allowed);
  });

  it('refuses a verb that is not granted', () => {
    expect(allows([release], 'promotions:read', { path: 'release', repository: 'waybill' })).toBe(false);
  });

  it('does not join halves of two grants', () => {
    const grants: Grant[] = [
      { verbs: ['promotions:create'], paths: ['release'], repositories: ['a'] },
      { verbs: ['promotions:create'], paths: ['keep'], repositories: ['b'] },
    ];

    expect(allows(grants, 'promotions:create', { path: 'release', repository: 'b' })).toBe(false);
  });

  it('takes patterns literally where they are no globs', () => {
    const grant: Grant = { verbs: ['promotions:create'], paths: ['!release', '{a,b}'], repositories: ['**'] };

    expect(allows([grant], 'promotions:create', { path: 'keep' })).toBe(false);
    expect(allows([grant], 'promotions:create', { path: 'a' })).toBe(false);
  });

  it('lets everything do everything', () => {
    expect(allows(everything, 'keys:manage', { path: 'any', repository: 'a/b/c' })).toBe(true);
  });
});
