import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RotatingLog } from './rotating-log.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-log-'));
  path = join(folder, 'a.log');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeAll(log: RotatingLog, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) await new Promise((resolve) => log.write(chunk, resolve));
  await new Promise<void>((resolve) => log.end(resolve));
}

describe('RotatingLog', () => {
  it('appends to what an earlier run wrote', async () => {
    await writeFile(path, 'before\n');

    await writeAll(await RotatingLog.open(path), ['after\n']);

    expect(await readFile(path, 'utf8')).toBe('before\nafter\n');
  });

  it('never takes more than twice its size, and keeps the newest', async () => {
    const lines = Array.from({ length: 100 }, (_, number) => `line ${String(number).padStart(4, '0')}\n`);

    await writeAll(await RotatingLog.open(path, 100), lines);

    expect((await readdir(folder)).toSorted()).toEqual(['a.log', 'a.log.1']);
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).size).toBeLessThanOrEqual(100);
    expect((await readFile(`${path}.1`, 'utf8')) + (await readFile(path, 'utf8'))).toContain('line 0098\nline 0099\n');
  });

  it('remembers the last bytes only', async () => {
    const log = await RotatingLog.open(path);

    await writeAll(log, ['x'.repeat(100_000), 'the end']);

    expect(log.tail()).toHaveLength(4096);
    expect(log.tail().endsWith('the end')).toBe(true);
  });

  it('keeps taking lines when it cannot write them', async () => {
    const log = await RotatingLog.open(path, 10);
    await rm(folder, { recursive: true });

    await writeAll(log, ['first line\n', 'cannot be rotated\n', 'last\n']);

    expect(log.tail()).toContain('last');
  });

  it('says which file it cannot open', async () => {
    await expect(RotatingLog.open(join(folder, 'absent', 'a.log'))).rejects.toMatchObject({
      code: 'start-failed',
      details: { path: join(folder, 'absent', 'a.log') },
    });
  });
});
