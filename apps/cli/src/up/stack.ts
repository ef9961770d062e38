/** What is to be undone, last first. */
export class Stack {
  readonly #undo: (() => Promise<void>)[] = [];
  #unwinding: Promise<void> | undefined;

  get isEmpty(): boolean {
    return this.#undo.length === 0;
  }

  push(undo: () => Promise<void>): void {
    this.#undo.push(undo);
  }

  /** Undoes everything even if some of it fails, then rejects with the first failure. A second call waits for the first. */
  unwind(): Promise<void> {
    return (this.#unwinding ??= this.#unwind());
  }

  async #unwind(): Promise<void> {
    const failures: unknown[] = [];
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      await undo().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
