import { describe, expect, it } from '@jest/globals';
import { type LockedPackages, packageName, productionPackages } from './production-packages.js';

describe('productionPackages', () => {
  it('follows dependencies through workspaces to whatever they need', () => {
    const locked: LockedPackages = {
      'apps/cli': { dependencies: { '@waybill/lib': '1', tool: '1' } },
      'libs/lib': { dependencies: { deep: '1' } },
      'node_modules/@waybill/lib': { link: true, resolved: 'libs/lib' },
      'node_modules/tool': {},
      'node_modules/deep': { dependencies: { deeper: '1' } },
      'node_modules/deeper': { dependencies: { deep: '1' } },
      'node_modules/only-for-tests': {},
    };

    const production = productionPackages(locked, ['apps/cli']);

    expect(production).toEqual({
      workspaces: ['apps/cli', 'libs/lib'],
      packages: ['node_modules/deep', 'node_modules/deeper', 'node_modules/tool'],
      links: new Map([['node_modules/@waybill/lib', 'libs/lib']]),
    });
  });

  it('finds the package that Node would find', () => {
    const locked: LockedPackages = {
      'apps/cli': { dependencies: { a: '1', '@s/b': '1' } },
      'apps/cli/node_modules/a': { dependencies: { c: '1' } },
      'node_modules/a': {},
      'node_modules/c': {},
      'node_modules/@s/b': { dependencies: { c: '1', d: '1' } },
      'node_modules/@s/b/node_modules/c': { dependencies: { d: '1' } },
      'node_modules/@s/b/node_modules/d': {},
      'node_modules/d': {},
    };

    expect(productionPackages(locked, ['apps/cli']).packages).toEqual([
      'apps/cli/node_modules/a',
      'node_modules/@s/b',
      'node_modules/@s/b/node_modules/c',
      'node_modules/@s/b/node_modules/d',
      'node_modules/c',
    ]);
  });

  it('takes peers along, and neither optional peers nor optional dependencies', () => {
    const locked = {
      'apps/cli': { dependencies: { a: '1' } },
      'node_modules/a': {
        optionalDependencies: { native: '1' },
        peerDependencies: { peer: '1', extra: '1' },
        peerDependenciesMeta: { extra: { optional: true } },
      },
      'node_modules/native': {},
      'node_modules/peer': {},
      'node_modules/extra': {},
    };

    expect(productionPackages(locked, ['apps/cli']).packages).toEqual(['node_modules/a', 'node_modules/peer']);
  });

  it.each<[string, LockedPackages]>([
    ['a dependency', { 'apps/cli': { dependencies: { a: '1' } } }],
    ['a workspace', {}],
    ['what a link leads to', { 'apps/cli': { dependencies: { a: '1' } }, 'node_modules/a': { link: true, resolved: 'libs/a' } }],
  ])('says that %s is not locked', (_what, locked) => {
    expect(() => productionPackages(locked, ['apps/cli'])).toThrow(expect.objectContaining({ code: 'dependency-missing' }));
  });
});

describe('packageName', () => {
  it.each([
    ['node_modules/a', 'a'],
    ['node_modules/@s/b', '@s/b'],
    ['node_modules/a/node_modules/@s/b', '@s/b'],
    ['apps/cli/node_modules/a', 'a'],
  ])('of %s is %s', (path, name) => {
    expect(packageName(path)).toBe(name);
  });
});
