import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readApiKey } from '@waybill/access';
import { adminKey } from './admin-key.js';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-key-'));
  file = join(dir, 'admin.key');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const modeOf = async (): Promise<number> => (await stat(file)).mode & 0o777;

describe('adminKey', () => {
  it('makes a key that only its owner can read, and nothing beside it', async () => {
    const key = await adminKey(dir);

    expect(key).toMatchObject({ isNew: true, file });
    expect(readApiKey(key.text)).toBeDefined();
    expect(await readFile(file, 'utf8')).toBe(`${key.text}\n`);
    expect(await modeOf()).toBe(0o600);
    expect(await readdir(dir)).toEqual(['admin.key']);
  });

  it('keeps it from then on, and closes a file that others could read', async () => {
    const { text } = await adminKey(dir);
    await chmod(file, 0o644);

    expect(await adminKey(dir)).toEqual({ text, file, isNew: false });
    expect(await modeOf()).toBe(0o600);
  });

  it.each(['', 'garbage\n', 'wb_half'])('leaves a file alone that holds %j, and says what to do', async (content) => {
    await writeFile(file, content);

    await expect(adminKey(dir)).rejects.toMatchObject({ code: 'key-unreadable', message: expect.stringContaining('remove the file') });

    expect(await readFile(file, 'utf8')).toBe(content);
  });
});
