import { describe, expect, it } from '@jest/globals';
import { allows, everything, type Grant, holds, holdsAll } from './grants.js';

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

describe('holds', () => {
  const verbs = ['promotions:create', 'keys:manage'] as const;
  const held: Grant[] = [
    { verbs, paths: ['release'], repositories: ['team-a/**', 'waybill'] },
    { verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] },
  ];

  it.each<[string, Partial<Grant>, boolean]>([
    ['the same', {}, true],
    ['one verb of two', { verbs: ['keys:manage'] }, true],
    ['a repository within', { repositories: ['team-a/app'] }, true],
    ['a pattern that is held', { repositories: ['team-a/**'] }, true],
    ['one repository too many', { repositories: ['waybill', 'team-b/app'] }, false],
    ['a wider pattern', { repositories: ['**'] }, false],
    ['a pattern that only looks narrower', { repositories: ['team-a/*', 'waybill'] }, false],
    ['another path', { paths: ['keep'] }, false],
    ['every path', { paths: ['*'] }, false],
    ['one verb too many', { verbs: ['keys:manage', 'topology:apply'] }, false],
    ['a verb that another grant holds more widely', { verbs: ['promotions:read'], paths: ['keep'], repositories: ['x/*'] }, true],
    ['verbs of two grants in what both cover', { verbs: ['promotions:read', 'keys:manage'] }, true],
    ['verbs of two grants in what only one covers', { verbs: ['promotions:read', 'keys:manage'], paths: ['keep'] }, false],
  ])('%s: %j → %s', (_title, change, answer) => {
    expect(holds(held, { verbs, paths: ['release'], repositories: ['waybill'], ...change })).toBe(answer);
  });

  it('takes `*` for every path and for one segment of a repository', () => {
    const grant: Grant = { verbs, paths: ['*'], repositories: ['*'] };

    expect(holds([grant], { ...grant, paths: ['re*', 'keep'] })).toBe(true);
    expect(holds([grant], { ...grant, repositories: ['a/b'] })).toBe(false);
    expect(holds([grant], { ...grant, repositories: ['**'] })).toBe(false);
  });

  it('lets everything hand on anything', () => {
    expect(holds(everything, { verbs, paths: ['a', '*', 'r?'], repositories: ['**', 'a/*'] })).toBe(true);
  });
});

describe('holdsAll', () => {
  it('wants each of the grants held', () => {
    const held: Grant = { verbs: ['keys:manage'], paths: ['release'], repositories: ['**'] };

    expect(holdsAll([held], [])).toBe(true);
    expect(holdsAll([held], [held, { ...held, repositories: ['waybill'] }])).toBe(true);
    expect(holdsAll([held], [held, { ...held, paths: ['keep'] }])).toBe(false);
  });
});
