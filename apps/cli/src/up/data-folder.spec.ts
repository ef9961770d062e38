import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDataFolder } from './data-folder.js';
import { Stack } from './stack.js';

let dir: string;
let stack: Stack;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-data-'));
  stack = new Stack();
});
afterEach(async () => {
  await stack.unwind();
  await rm(dir, { recursive: true, force: true });
});

describe('openDataFolder', () => {
  it('makes a folder that others may pass through and not list', async () => {
    const folder = await openDataFolder(join(dir, 'deep', 'data'), stack);

    expect(folder).toMatchObject({ dir: join(dir, 'deep', 'data'), key: { isNew: true } });
    expect((await stat(folder.dir)).mode & 0o777).toBe(0o711);
  });

  it('is for one run at a time, and says who has it', async () => {
    const first = await openDataFolder(dir, stack);
    await first.lock.announce('http://127.0.0.1:8080');

    await expect(openDataFolder(dir, new Stack())).rejects.toMatchObject({
      code: 'already-running',
      message: expect.stringMatching(new RegExp(`process ${process.pid} .* at http://127\\.0\\.0\\.1:8080`)),
    });
  });

  it('is free again after the run', async () => {
    await openDataFolder(dir, stack);
    await stack.unwind();

    const again = new Stack();
    await expect(openDataFolder(dir, again)).resolves.toMatchObject({ key: { isNew: false } });
    await again.unwind();
  });

  it.each([
    ['a file', (path: string) => writeFile(path, '')],
    ['a file below it', (path: string) => mkdir(path).then(() => writeFile(join(path, 'logs'), ''))],
  ])('says so where there is %s', async (_what, prepare) => {
    const path = join(dir, 'taken');
    await prepare(path);

    await expect(openDataFolder(path, stack)).rejects.toMatchObject({
      code: 'folder-unusable',
      message: expect.stringMatching(new RegExp(`^the data folder ${path} cannot be used: .*--data$`)),
    });
  });
});
