import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTypeScript } from '@waybill/testing';
import { startTokenOf } from './process/process-identity.js';
import { acquireRunLock, type ChildRecord, type RunLock } from './run-folder.js';

let folder: string;
let locks: RunLock[];
let sleepers: ChildProcess[];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'waybill-run-')), 'run');
  locks = [];
  sleepers = [];
});

afterEach(async () => {
  for (const lock of locks) await lock.release();
  for (const sleeper of sleepers) sleeper.kill('SIGKILL');
  await rm(join(folder, '..'), { recursive: true, force: true });
});

async function acquire(): Promise<RunLock> {
  const lock = await acquireRunLock(folder);
  locks.push(lock);
  return lock;
}

async function sleeper(name: string): Promise<ChildRecord> {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  sleepers.push(child);
  await once(child, 'spawn');
  return { name, pid: child.pid ?? -1, startToken: startTokenOf(child.pid ?? -1) ?? '', command: 'sleep 600' };
}

describe('acquireRunLock', () => {
  it('refuses while the supervisor lives, naming its process and address', async () => {
    const supervisor = startTypeScript(`
      import { acquireRunLock } from '@waybill/embedded';
      const lock = await acquireRunLock(${JSON.stringify(folder)});
      await lock.announce('http://127.0.0.1:3000');
      console.log('{}');
      setInterval(() => undefined, 60_000);
    `);
    await supervisor.nextLine();

    const refusal = acquireRunLock(folder);

    await expect(refusal).rejects.toMatchObject({
      code: 'already-running',
      details: { pid: supervisor.pid, address: 'http://127.0.0.1:3000' },
    });
    await supervisor.kill('SIGKILL');
    expect((await acquire()).stopped).toEqual([]);
  });

  it('stops the children that an earlier supervisor left, and tells which', async () => {
    const left = { ...(await sleeper('worker')), port: 4000 };
    const earlier = await acquire();
    await earlier.record(left);
    await earlier.release();

    const { stopped } = await acquire();

    expect(stopped).toEqual([left]);
    expect(startTokenOf(left.pid)).toBeUndefined();
  });

  it('leaves a process alone that only has the id of a child', async () => {
    const innocent = await sleeper('api');
    const earlier = await acquire();
    await earlier.record({ ...innocent, startToken: 'of an earlier boot' });
    await earlier.release();

    const { stopped } = await acquire();

    expect(stopped).toEqual([]);
    expect(startTokenOf(innocent.pid)).toBe(innocent.startToken);
  });

  it('forgets a child that was stopped in order', async () => {
    const child = await sleeper('registry: prod/us');
    const lock = await acquire();
    await lock.record(child);

    await lock.forget(child.name);
    await lock.release();

    expect((await acquire()).stopped).toEqual([]);
    expect(startTokenOf(child.pid)).toBe(child.startToken);
  });

  it('is not held up by a damaged record', async () => {
    await (await acquire()).release();
    await writeFile(join(folder, 'children', 'api.json'), '{"pid":');

    expect((await acquire()).stopped).toEqual([]);
    expect(await readdir(join(folder, 'children'))).toEqual([]);
  });
});
