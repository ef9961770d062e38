/** A list that grows in place has room for a score of items; most lists end with two. */
const short = 4;

/** Lists by number, most of them empty: one is made with its first item. */
export class SparseLists<T> {
  readonly #lists: (T[] | undefined)[];
  readonly #none: readonly T[] = [];

  constructor(size: number) {
    this.#lists = new Array<T[] | undefined>(size);
  }

  add(at: number, item: T): void {
    const list = this.#lists[at];
    if (list === undefined) this.#lists[at] = [item];
    else if (list.length < short) this.#lists[at] = [...list, item];
    else list.push(item);
  }

  of(at: number): readonly T[] {
    return this.#lists[at] ?? this.#none;
  }

  has(at: number): boolean {
    return this.#lists[at] !== undefined;
  }
}
