import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { commandLineOf, isStillRunning, ownIdentity, startTokenOf } from './process-identity.js';
import { stopProcess } from './stop-process.js';

async function child(code: string): Promise<{ pid: number; end(): Promise<unknown> }> {
  const started = spawn(process.execPath, ['-e', `${code}; console.log('up'); setInterval(() => undefined, 60_000)`]);
  await once(started.stdout, 'data');
  const ended = once(started, 'exit');
  return {
    pid: started.pid ?? -1,
    end: () => {
      started.kill('SIGKILL');
      return ended;
    },
  };
}

describe('a process identity', () => {
  it('stays the same while the process lives and is gone with it', async () => {
    const { pid, end } = await child('');
    const identity = { pid, startToken: startTokenOf(pid) ?? '' };
    expect(isStillRunning(identity)).toBe(true);

    await end();

    expect(isStillRunning(identity)).toBe(false);
    expect(startTokenOf(pid)).toBeUndefined();
  });

  it('is not that of another process with the same id', () => {
    expect(isStillRunning({ ...ownIdentity(), startToken: 'earlier' })).toBe(false);
    expect(isStillRunning({ ...ownIdentity(), startToken: '' })).toBe(false);
  });

  it('knows the arguments of a process', async () => {
    const { pid, end } = await child('/* a mark */');

    expect(commandLineOf(pid).join(' ')).toContain('/* a mark */');
    await end();
    expect(commandLineOf(pid)).toEqual([]);
  });
});

describe('stopProcess', () => {
  it('goes on to the next signal when one is ignored, and says which one did it', async () => {
    const { pid } = await child(`process.on('SIGTERM', () => undefined)`);
    const identity = { pid, startToken: startTokenOf(pid) ?? '' };

    const ended = await stopProcess(identity, [
      ['SIGTERM', 100],
      ['SIGKILL', 10_000],
    ]);

    expect(ended).toBe('SIGKILL');
    expect(isStillRunning(identity)).toBe(false);
  });

  it('reports a process that obeyed no signal', async () => {
    const { pid, end } = await child(`process.on('SIGTERM', () => undefined)`);

    expect(await stopProcess({ pid, startToken: startTokenOf(pid) ?? '' }, [['SIGTERM', 50]])).toBe('still-running');
    await end();
  });

  it('sends nothing to a process that only has the same id', async () => {
    const { pid, end } = await child('');

    expect(await stopProcess({ pid, startToken: 'earlier' }, [['SIGKILL', 1_000]])).toBeUndefined();
    expect(startTokenOf(pid)).toBeDefined();
    await end();
  });
});
