import type { ItemRun } from './run.js';

/** Items that are copied at a time, and have their content nowhere yet. */
const maxCopying = 4;
/** Items under way at a time, those included that only wait for a slow target. */
const maxUnderWay = 8;

/** Work on one item; `onContent` is called when its content has come to one of its targets, or to none. */
export type ItemWork = (item: ItemRun, onContent: () => void) => Promise<void>;

/**
 * Works on items in their order, several at a time: what waits for a target that hangs keeps the others from nothing
 * but its own place. Items of one source repository follow one another until the content of the one before has come
 * somewhere: they share blobs, which are read from the source once.
 */
export class ItemsInTurn {
  readonly #waiting: ItemRun[];
  readonly #work: ItemWork;
  readonly #failures: { readonly error: unknown }[] = [];
  readonly #copying = new Set<ItemRun>();
  #underWay = 0;
  #isStopped = false;
  #end: () => void = () => undefined;

  constructor(items: readonly ItemRun[], work: ItemWork) {
    this.#waiting = [...items];
    this.#work = work;
  }

  /** Resolves when all that was begun has ended, with what broke off, in the order in which it did. */
  async run(): Promise<readonly { readonly error: unknown }[]> {
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      this.#beginNext();
    });
    return this.#failures;
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  #beginNext(): void {
    for (let item = this.#takeNext(); item !== undefined; item = this.#takeNext()) this.#begin(item);
    if (this.#underWay === 0) this.#end();
  }

  #takeNext(): ItemRun | undefined {
    if (this.#isStopped || this.#copying.size >= maxCopying || this.#underWay >= maxUnderWay) return undefined;
    const busy = new Set([...this.#copying].map(sourceOf));
    const next = this.#waiting.findIndex((item) => !busy.has(sourceOf(item)));
    return next === -1 ? undefined : this.#waiting.splice(next, 1)[0];
  }

  #begin(item: ItemRun): void {
    this.#underWay += 1;
    this.#copying.add(item);
    const onContent = (): void => {
      if (this.#copying.delete(item)) this.#beginNext();
    };
    void this.#work(item, onContent)
      .catch((error: unknown) => this.#failures.push({ error }))
      .finally(() => {
        this.#underWay -= 1;
        this.#copying.delete(item);
        this.#beginNext();
      });
  }
}

function sourceOf({ source }: ItemRun): string {
  return `${source.registry}/${source.repository}`;
}
