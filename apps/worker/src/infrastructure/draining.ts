/** Whether the process is about to end; runs are finished or handed over meanwhile. */
export class Draining {
  #isUnderWay = false;

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  announce(): void {
    this.#isUnderWay = true;
  }
}
