import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findPostgresBinaries, restoreSymlinks } from './binaries.js';

let native: string;

beforeEach(async () => {
  native = join(await mkdtemp(join(tmpdir(), 'waybill-binaries-')), 'native');
  await mkdir(join(native, 'lib'), { recursive: true });
});

afterEach(() => rm(join(native, '..'), { recursive: true, force: true }));

describe('findPostgresBinaries', () => {
  it('finds the programs that npm installed for this platform', async () => {
    const { initdb, postgres } = await findPostgresBinaries();

    for (const program of [initdb, postgres]) expect((await lstat(program)).mode & 0o111).toBe(0o111);
  });
});

describe('restoreSymlinks', () => {
  it('makes what the install script would have made, several times at once', async () => {
    await writeFile(join(native, 'lib', 'libpq.so.5.18'), 'the library');
    await writeFile(
      join(native, 'pg-symlinks.json'),
      JSON.stringify([
        { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so' },
        { source: 'native/lib/libpq.so.5.18', target: 'native/lib/compat/libpq.so.5' },
      ]),
    );

    await Promise.all(Array.from({ length: 8 }, () => restoreSymlinks(native)));

    for (const link of ['libpq.so', 'compat/libpq.so.5']) {
      expect((await lstat(join(native, 'lib', link))).isSymbolicLink()).toBe(true);
      expect(await readFile(join(native, 'lib', link), 'utf8')).toBe('the library');
    }
  });

  it('has nothing to do where the package brings no list', async () => {
    await expect(restoreSymlinks(native)).resolves.toBeUndefined();
  });

  it('names the folder whose list is broken', async () => {
    await writeFile(join(native, 'pg-symlinks.json'), '[{');

    await expect(restoreSymlinks(native)).rejects.toMatchObject({ code: 'start-failed', details: { path: native } });
  });
});
