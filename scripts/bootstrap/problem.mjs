/** A reason to stop that the reader can act on: printed without a stack trace. */
export class SetupProblem extends Error {
  /**
   * @param {string} message what happened and the way out
   * @param {{ exitCode?: number, cause?: unknown }} [facts]
   */
  constructor(message, facts = {}) {
    super(message, { cause: facts.cause });
    this.name = 'SetupProblem';
    this.exitCode = facts.exitCode ?? 1;
  }
}
