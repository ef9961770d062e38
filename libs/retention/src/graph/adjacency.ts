/** From whom to whom, by number, as two flat arrays: a repository of 100,000 manifests has no room for as many small ones. */
export class Adjacency {
  readonly #starts: Int32Array;
  readonly #targets: Int32Array;

  private constructor(starts: Int32Array, targets: Int32Array) {
    this.#starts = starts;
    this.#targets = targets;
  }

  /** Keeps the order of the pairs for each `from`; `froms` and `targets` are of one length. */
  static of(size: number, froms: readonly number[], targets: readonly number[]): Adjacency {
    const starts = new Int32Array(size + 1);
    for (const from of froms) starts[from + 1] = (starts[from + 1] ?? 0) + 1;
    for (let at = 0; at < size; at += 1) starts[at + 1] = (starts[at + 1] ?? 0) + (starts[at] ?? 0);
    const next = starts.slice();
    const flat = new Int32Array(froms.length);
    for (let at = 0; at < froms.length; at += 1) {
      const from = froms[at] ?? 0;
      const place = next[from] ?? 0;
      flat[place] = targets[at] ?? 0;
      next[from] = place + 1;
    }
    return new Adjacency(starts, flat);
  }

  /** Read-only. */
  of(from: number): Int32Array {
    return this.#targets.subarray(this.#starts[from], this.#starts[from + 1]);
  }

  has(from: number): boolean {
    return (this.#starts[from] ?? 0) < (this.#starts[from + 1] ?? 0);
  }
}
