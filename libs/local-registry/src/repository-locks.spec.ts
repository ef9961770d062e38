import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { RepositoryLocks } from './repository-locks.js';

const app = parseRepositoryName('app');
const other = parseRepositoryName('other');

/** Work that ends when it is told to. */
function work(log: string[], name: string) {
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const run = async (): Promise<string> => {
    log.push(`${name} begins`);
    await done;
    log.push(`${name} ends`);
    return name;
  };
  return { run, finish };
}

/** Everything that can happen without anybody's help has happened. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the locks of repositories', () => {
  it('let shared work go side by side, and exclusive work alone and in turn', async () => {
    const log: string[] = [];
    const locks = new RepositoryLocks();
    const [push1, push2, remove, push3] = ['push 1', 'push 2', 'remove', 'push 3'].map((name) => work(log, name));
    if (!push1 || !push2 || !remove || !push3) throw new Error('four pieces of work were made');

    const all = [
      locks.shared(app, push1.run),
      locks.shared(app, push2.run),
      locks.exclusive(app, remove.run),
      locks.shared(app, push3.run),
    ];
    await settle();
    expect(log).toEqual(['push 1 begins', 'push 2 begins']);

    push2.finish();
    push1.finish();
    await settle();
    expect(log.slice(2)).toEqual(['push 2 ends', 'push 1 ends', 'remove begins']);

    remove.finish();
    push3.finish();
    expect(await Promise.all(all)).toEqual(['push 1', 'push 2', 'remove', 'push 3']);
    expect(log.slice(5)).toEqual(['remove ends', 'push 3 begins', 'push 3 ends']);
  });

  it('keep repositories apart', async () => {
    const log: string[] = [];
    const locks = new RepositoryLocks();
    const [removing, pushing] = [work(log, 'remove'), work(log, 'push')];
    const both = [locks.exclusive(app, removing.run), locks.shared(other, pushing.run)];
    await settle();

    expect(log.toSorted()).toEqual(['push begins', 'remove begins']);

    removing.finish();
    pushing.finish();
    await Promise.all(both);
  });

  it.each(['shared', 'exclusive'] as const)('go on after %s work has failed', async (how) => {
    const locks = new RepositoryLocks();

    await expect(locks[how](app, () => Promise.reject(new Error('no')))).rejects.toThrow('no');

    await expect(locks.exclusive(app, async () => 'next')).resolves.toBe('next');
    await expect(locks.shared(app, async () => 'next')).resolves.toBe('next');
  });
});
