import type { RepositoryName } from '@waybill/oci-model';

interface Turns {
  /** Settles, and never rejects, when the last exclusive work asked for so far has ended. */
  exclusive: Promise<unknown>;
  readonly shared: Set<Promise<unknown>>;
  waiting: number;
}

/**
 * Keeps deletions apart from pushes of one repository: a manifest is checked against what is there and then
 * linked, and nothing that it needs may vanish in between. Pushes go side by side; a deletion goes alone,
 * after everything that asked before it.
 */
export class RepositoryLocks {
  readonly #turns = new Map<RepositoryName, Turns>();

  shared<T>(repository: RepositoryName, work: () => Promise<T>): Promise<T> {
    const turns = this.#open(repository);
    const run = turns.exclusive.then(work);
    const settled = run.catch(() => undefined);
    turns.shared.add(settled);
    return this.#leaving(repository, turns, run).finally(() => turns.shared.delete(settled));
  }

  exclusive<T>(repository: RepositoryName, work: () => Promise<T>): Promise<T> {
    const turns = this.#open(repository);
    const run = Promise.all([turns.exclusive, ...turns.shared]).then(work);
    turns.exclusive = run.catch(() => undefined);
    return this.#leaving(repository, turns, run);
  }

  #open(repository: RepositoryName): Turns {
    const turns = this.#turns.get(repository) ?? { exclusive: Promise.resolve(), shared: new Set(), waiting: 0 };
    this.#turns.set(repository, turns);
    turns.waiting += 1;
    return turns;
  }

  async #leaving<T>(repository: RepositoryName, turns: Turns, run: Promise<T>): Promise<T> {
    try {
      return await run;
    } finally {
      turns.waiting -= 1;
      if (turns.waiting === 0) this.#turns.delete(repository);
    }
  }
}
