import { describe, expect, it } from '@jest/globals';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contentHash, sourceFingerprint, workspaces } from './fingerprint.mjs';
import { temporaryFolder } from './temporary-folder.js';

const repository = {
  'tsconfig.json': '{}',
  'libs/kernel/package.json': '{}',
  'libs/kernel/tsconfig.json': '{}',
  'libs/kernel/src/index.ts': 'export {};',
  'libs/kernel/src/deep/clock.ts': 'export {};',
  'libs/kernel/src/index.spec.ts': '',
  'libs/kernel/dist/index.js': '',
  'libs/left-over/dist/index.js': '',
  'apps/cli/package.json': '{}',
};

describe('workspaces', () => {
  it('lists the folders that hold a package', () => {
    expect(workspaces(temporaryFolder(repository))).toEqual(['libs/kernel', 'apps/cli']);
  });
});

describe('contentHash', () => {
  it('follows contents and absence, not times', () => {
    const root = temporaryFolder(repository);
    const files = ['tsconfig.json', 'package-lock.json'];
    const before = contentHash(root, files);

    utimesSync(path.join(root, 'tsconfig.json'), 1, 1);
    const afterTouch = contentHash(root, files);
    writeFileSync(path.join(root, 'package-lock.json'), '');
    const afterAppearing = contentHash(root, files);
    writeFileSync(path.join(root, 'package-lock.json'), '{}');
    const afterEdit = contentHash(root, files);

    expect(afterTouch).toBe(before);
    expect(new Set([before, afterAppearing, afterEdit]).size).toBe(3);
  });

  it('does not depend on the order of the names', () => {
    const root = temporaryFolder(repository);

    expect(contentHash(root, ['b', 'a'])).toBe(contentHash(root, ['a', 'b']));
  });
});

describe('sourceFingerprint', () => {
  const changes: [string, (root: string) => void][] = [
    ['a source changes', (root) => writeFileSync(path.join(root, 'libs/kernel/src/deep/clock.ts'), 'export const a = 1;')],
    ['a source is touched', (root) => utimesSync(path.join(root, 'libs/kernel/src/index.ts'), 1, 1)],
    ['a source appears', (root) => writeFileSync(path.join(root, 'libs/kernel/src/new.ts'), '')],
    ['a source disappears', (root) => rmSync(path.join(root, 'libs/kernel/src/index.ts'))],
    ['a compiler option changes', (root) => writeFileSync(path.join(root, 'tsconfig.json'), '{ }')],
    ['a package changes', (root) => writeFileSync(path.join(root, 'libs/kernel/package.json'), '{ }')],
  ];

  it.each(changes)('changes when %s', (_, change) => {
    const root = temporaryFolder(repository);
    const before = sourceFingerprint(root);

    change(root);

    expect(sourceFingerprint(root)).not.toBe(before);
  });

  it.each(['libs/kernel/src/index.spec.ts', 'libs/kernel/dist/index.js', 'apps/cli/README.md'])('ignores %s', (file) => {
    const root = temporaryFolder(repository);
    const before = sourceFingerprint(root);

    writeFileSync(path.join(root, file), 'changed');

    expect(sourceFingerprint(root)).toBe(before);
  });
});
