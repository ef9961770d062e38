import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { itemRun } from './fake-run.spec-helper.js';
import { ItemsInTurn } from './items-in-turn.js';
import type { ItemRun } from './run.js';

function itemOf(id: string, repository = id): ItemRun {
  return itemRun([], { id, source: { registry: 'ci', repository: parseRepositoryName(repository) } });
}

function items(count: number): ItemRun[] {
  return Array.from({ length: count }, (_, index) => itemOf(`item-${index}`));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Work that goes on when it is told to. */
class Work {
  readonly begun: string[] = [];
  readonly #steps = new Map<string, { readonly content: () => void; readonly end: (error?: Error) => void }>();
  readonly turns: ItemsInTurn;
  readonly ended: Promise<readonly { readonly error: unknown }[]>;

  constructor(of: readonly ItemRun[]) {
    this.turns = new ItemsInTurn(of, (item, content) => {
      this.begun.push(item.id);
      return new Promise((resolve, reject) => {
        this.#steps.set(item.id, { content, end: (error) => (error === undefined ? resolve() : reject(error)) });
      });
    });
    this.ended = this.turns.run();
  }

  async content(...ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#steps.get(id)?.content();
    await turn();
  }

  async end(id: string, error?: Error): Promise<void> {
    this.#steps.get(id)?.end(error);
    await turn();
  }
}

describe('ItemsInTurn', () => {
  it('ends at once when there is nothing to do', async () => {
    expect(await new Work([]).ended).toEqual([]);
  });

  it('copies four items at a time, in their order', async () => {
    const work = new Work(items(6));
    expect(work.begun).toEqual(['item-0', 'item-1', 'item-2', 'item-3']);

    await work.end('item-2');

    expect(work.begun).toEqual(['item-0', 'item-1', 'item-2', 'item-3', 'item-4']);
  });

  it('goes on while items only wait for a slow target, up to eight under way', async () => {
    const work = new Work(items(12));

    await work.content('item-0', 'item-1', 'item-2', 'item-3');
    expect(work.begun).toHaveLength(8);
    await work.content('item-4', 'item-5');
    expect(work.begun).toHaveLength(8);
    await work.end('item-0');

    expect(work.begun).toHaveLength(9);
  });

  it('begins the next item of a repository when the content of the one before has come somewhere', async () => {
    const work = new Work([itemOf('one', 'app'), itemOf('two', 'app'), itemOf('other')]);
    expect(work.begun).toEqual(['one', 'other']);

    await work.content('one', 'one');

    expect(work.begun).toEqual(['one', 'other', 'two']);
  });

  it('begins the others where one breaks off, and gives what broke off', async () => {
    const [first, second] = [new Error('first'), new Error('second')];
    const work = new Work([itemOf('one', 'app'), itemOf('two', 'app')]);

    await work.end('one', first);
    await work.end('two', second);

    expect(await work.ended).toEqual([{ error: first }, { error: second }]);
  });

  it('begins nothing more when stopped, and waits for what is under way', async () => {
    const work = new Work(items(5));
    let hasEnded = false;
    void work.ended.then(() => {
      hasEnded = true;
    });

    work.turns.stop();
    for (const id of ['item-0', 'item-1', 'item-2']) await work.end(id);
    expect(hasEnded).toBe(false);
    await work.end('item-3');

    expect(hasEnded).toBe(true);
    expect(work.begun).toHaveLength(4);
  });
});
