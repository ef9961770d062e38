/** How much may be searched for one file, so that no file keeps the process busy. */
export class SearchBudget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  /** Takes one step. @throws SearchExhausted when none is left */
  spend(): void {
    if (this.#left === 0) throw new SearchExhausted();
    this.#left -= 1;
  }
}

/** Too much would have to be searched to be sure. */
export class SearchExhausted extends Error {}
