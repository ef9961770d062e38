import type { KeptPlan, PlanJournal } from '@waybill/persistence';

/** Decisions that are written in one transaction, with the plans that they belong to. */
const together = 2_000;
/** Plans without any decision are many. */
const plansTogether = 200;

/** Writes plans of small repositories together, while the next ones are made. Gives false once the lease is lost. */
export class PlanWriter {
  readonly #journal: PlanJournal;
  #waiting: KeptPlan[] = [];
  #decisions = 0;
  #writing: Promise<boolean> = Promise.resolve(true);

  constructor(journal: PlanJournal) {
    this.#journal = journal;
  }

  async add(plan: KeptPlan): Promise<boolean> {
    this.#waiting.push(plan);
    this.#decisions += plan.decisions.length;
    return this.#decisions < together && this.#waiting.length < plansTogether ? true : await this.#write();
  }

  /** All that was added is written. */
  async flush(): Promise<boolean> {
    return (await this.#write()) && (await this.#writing);
  }

  async #write(): Promise<boolean> {
    if (!(await this.#writing)) return false;
    const plans = this.#waiting;
    [this.#waiting, this.#decisions] = [[], 0];
    this.#writing = plans.length === 0 ? Promise.resolve(true) : this.#journal.plannedTogether(plans);
    // Who waits for it next is told; until then nobody does.
    this.#writing.catch(() => undefined);
    return true;
  }
}
