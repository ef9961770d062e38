/** Does one piece of work after the other, in the order in which they were asked for; one that fails keeps none from its turn. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `work` does. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
