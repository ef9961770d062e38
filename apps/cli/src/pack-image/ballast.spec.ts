import { describe, expect, it } from '@jest/globals';
import { isNeededOfBuild, isNeededOfPackage } from './ballast.js';

describe('what is needed of a package', () => {
  it.each([
    ['a', 'index.js'],
    ['a', 'package.json'],
    ['a', 'lib/data.json'],
    ['a', 'lib/test/'],
    ['a', 'lib/test/fixture.js'],
    ['a', 'LICENSE'],
    ['a', 'LICENSE.md'],
    ['a', 'dist/module.mjs'],
    ['a', 'build/native.wasm'],
    ['a', 'prebuilds/'],
    ['swagger-ui-dist', 'swagger-ui.css'],
    ['@prisma/client', 'runtime/client.mjs'],
    ['@prisma/client', 'runtime/query_compiler_fast_bg.postgresql.mjs'],
    ['@prisma/client', 'runtime/query_compiler_fast_bg.postgresql.wasm-base64.mjs'],
  ])('%s: %s', (name, path) => {
    expect(isNeededOfPackage(name, path)).toBe(true);
  });

  it.each([
    ['a', 'README.md'],
    ['a', 'lib/index.js.map'],
    ['a', 'lib/index.d.ts'],
    ['a', 'lib/index.d.cts'],
    ['a', 'src/index.ts'],
    ['a', 'test/'],
    ['a', '__tests__/'],
    ['a', 'node_modules/'],
    ['bare-fs', 'prebuilds/'],
    ['@prisma/client', 'runtime/query_compiler_fast_bg.mysql.mjs'],
    ['@prisma/client', 'runtime/query_compiler_small_bg.sqlite.wasm-base64.mjs'],
    ['@prisma/client', 'runtime/query_compiler_fast_bg.postgresql.wasm-base64.js'],
  ])('not of %s: %s', (name, path) => {
    expect(isNeededOfPackage(name, path)).toBe(false);
  });
});

describe('what is needed of a build', () => {
  it.each([
    ['main.js', true],
    ['schema.json', true],
    ['migrations/0001/migration.sql', true],
    ['main.js.map', false],
    ['main.d.ts', false],
    ['.tsbuildinfo', false],
  ])('%s: %s', (path, needed) => {
    expect(isNeededOfBuild(path)).toBe(needed);
  });
});
