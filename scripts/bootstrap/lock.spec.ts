import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { temporaryFolder } from './temporary-folder.js';

const lockIn = (folder: string) => path.join(folder, '.waybill/bootstrap.lock');

function leaveLock(lock: string, owner: object): void {
  mkdirSync(lock, { recursive: true });
  writeFileSync(path.join(lock, 'owner.json'), JSON.stringify(owner));
}

describe('withLock', () => {
  it('lets one in at a time and tells the others whom they wait for', async () => {
    const lock = lockIn(temporaryFolder());
    const waitedFor: (number | undefined)[] = [];
    let inside = 0;
    let most = 0;
    const enter = () =>
      withLock(
        lock,
        async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
        },
        { onWait: (pid) => waitedFor.push(pid) },
      );

    await Promise.all([enter(), enter(), enter()]);

    expect(most).toBe(1);
    expect(waitedFor).toEqual([process.pid, process.pid]);
    expect(existsSync(lock)).toBe(false);
  });

  it('gives the result and lets go when the work fails', async () => {
    const lock = lockIn(temporaryFolder());

    await expect(withLock(lock, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(withLock(lock, () => Promise.resolve(7))).resolves.toBe(7);
  });

  it('takes over from a process that died', async () => {
    const lock = lockIn(temporaryFolder());
    const { pid } = spawnSync(process.execPath, ['--version']);
    leaveLock(lock, { pid, birth: '1' });

    await expect(withLock(lock, () => Promise.resolve('mine'))).resolves.toBe('mine');
  });

  it('takes over when the id belongs to another process by now', async () => {
    const lock = lockIn(temporaryFolder());
    leaveLock(lock, { pid: process.pid, birth: 'another time' });

    await expect(withLock(lock, () => Promise.resolve('mine'))).resolves.toBe('mine');
  });

  it('takes over from one that died before it wrote its name', async () => {
    const lock = lockIn(temporaryFolder());
    mkdirSync(lock, { recursive: true });
    utimesSync(lock, 1, 1);

    await expect(withLock(lock, () => Promise.resolve('mine'))).resolves.toBe('mine');
  });

  it('lets only one of many take a dead lock over', async () => {
    const lock = lockIn(temporaryFolder());
    leaveLock(lock, { pid: spawnSync(process.execPath, ['--version']).pid, birth: '1' });
    let inside = 0;

    const most = await Promise.all(
      Array.from({ length: 5 }, () =>
        withLock(lock, async () => {
          const now = ++inside;
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
          return now;
        }),
      ),
    );

    expect(most).toEqual([1, 1, 1, 1, 1]);
  });
});
