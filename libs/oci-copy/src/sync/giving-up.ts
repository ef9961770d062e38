import type { CopyError } from '../copy-error.js';

/** Questions in a row that one end may fail to answer, before it is not asked any others. */
const mostFailures = 5;

/** Asks one end about tags until it has shown that it is of no use: from then on all questions end as the last one did. */
export class GivingUp {
  #failures = 0;
  #givenUp: CopyError | undefined;

  /** Rejects as `question` does; at once when the end has been given up. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#givenUp !== undefined) throw this.#givenUp;
    try {
      const answer = await question();
      this.#failures = 0;
      return answer;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= mostFailures) this.giveUp(error as CopyError);
      throw error;
    }
  }

  giveUp(error: CopyError): void {
    this.#givenUp ??= error;
  }
}
