import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { acquireLock, type HeldLock, type LockTaken } from './exclusive-lock.js';
import { ownIdentity } from './process-identity.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-lock-'));
  path = join(folder, 'lock');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function isHeld(lock: HeldLock | LockTaken): lock is HeldLock {
  return lock.outcome === 'held';
}

/** A holder that is gone: its id may be in use, the start time is not its own. */
const corpse = { pid: process.pid, startToken: 'of an earlier boot', nonce: 'dead' };

describe('acquireLock', () => {
  it('refuses while the holder lives, naming it and its address', async () => {
    const first = await acquireLock(path);
    if (!isHeld(first)) throw new Error('the first call must hold the lock');
    await first.announce('127.0.0.1:5432');

    const second = await acquireLock(path);

    expect(second).toEqual({
      outcome: 'taken',
      holder: { ...ownIdentity(), nonce: expect.any(String), address: '127.0.0.1:5432' },
    });
  });

  it('is free again after its release', async () => {
    const first = await acquireLock(path);
    if (isHeld(first)) await first.release();

    expect((await acquireLock(path)).outcome).toBe('held');
  });

  it.each([
    ['a dead holder', JSON.stringify(corpse)],
    ['a torn file', '{"pid": 1'],
    ['an empty file', ''],
    ['a file of something else', '[]'],
  ])('is taken over from %s', async (_what, content) => {
    await writeFile(path, content);

    expect((await acquireLock(path)).outcome).toBe('held');
  });

  it('lets exactly one of many take over from a dead holder', async () => {
    await writeFile(path, JSON.stringify(corpse));

    const outcomes = await Promise.all(Array.from({ length: 25 }, () => acquireLock(path)));

    expect(outcomes.filter(isHeld)).toHaveLength(1);
    expect(outcomes.every((outcome) => isHeld(outcome) || outcome.holder.pid === process.pid)).toBe(true);
  });

  it('is taken over also when one died in the middle of taking over', async () => {
    await writeFile(path, JSON.stringify(corpse));
    await writeFile(`${path}.after-${corpse.nonce}`, JSON.stringify({ ...corpse, nonce: 'dead too' }));

    expect((await acquireLock(path)).outcome).toBe('held');
  });

  it('leaves only the lock file behind', async () => {
    await writeFile(path, JSON.stringify(corpse));
    const lock = await acquireLock(path);

    expect(await readdir(folder)).toEqual(['lock']);
    if (isHeld(lock)) await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('does not release a lock that somebody else holds by now', async () => {
    const first = await acquireLock(path);
    const successor = JSON.stringify({ ...corpse, nonce: 'successor' });
    await writeFile(path, successor);

    if (isHeld(first)) await first.release();

    expect(await readFile(path, 'utf8')).toBe(successor);
  });
});
