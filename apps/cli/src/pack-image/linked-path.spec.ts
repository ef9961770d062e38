import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { entriesOnPath } from './linked-path.js';

let dir: string;

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'waybill-links-')));
  await mkdir(join(dir, 'usr/lib/arch'), { recursive: true });
  await writeFile(join(dir, 'usr/lib/arch/libx.so.1.2'), '');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('entriesOnPath', () => {
  it('is the file alone where no link is on the way', async () => {
    const path = join(dir, 'usr/lib/arch/libx.so.1.2');

    expect(await entriesOnPath(path)).toEqual([{ kind: 'file', path: path.slice(1), source: path, executable: true }]);
  });

  it('names the links of folders and files, relative and absolute ones', async () => {
    await symlink('usr/lib', join(dir, 'lib'));
    await symlink('libx.so.1.2', join(dir, 'usr/lib/arch/libx.so.1'));
    await symlink(join(dir, 'usr/lib/arch/libx.so.1'), join(dir, 'usr/lib/arch/libx.so'));

    const entries = await entriesOnPath(join(dir, 'lib/arch/libx.so'));

    expect(entries.map(({ path, ...rest }) => [path.slice(dir.length), 'target' in rest ? rest.target : rest.kind])).toEqual([
      ['lib', 'usr/lib'],
      ['usr/lib/arch/libx.so', join(dir, 'usr/lib/arch/libx.so.1')],
      ['usr/lib/arch/libx.so.1', 'libx.so.1.2'],
      ['usr/lib/arch/libx.so.1.2', 'file'],
    ]);
  });

  it('gives up on a circle', async () => {
    await symlink('b', join(dir, 'a'));
    await symlink('a', join(dir, 'b'));

    await expect(entriesOnPath(join(dir, 'a'))).rejects.toThrow('too many links');
  });
});
