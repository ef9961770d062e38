/** Lets work under one key follow one another; other keys do not wait. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` when all that was given before under `key` is over, however it ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = result.then(nothing, nothing);
    this.#last.set(key, over);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === over) this.#last.delete(key);
    }
  }
}

function nothing(): void {
  // whoever asked for the work gets its result and its error
}
