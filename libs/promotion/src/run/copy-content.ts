import type { WaybillError } from '@waybill/kernel';
import type { Manifest } from '@waybill/oci-model';
import type { CopyOutcome } from './ports.js';
import type { RunContext } from './run-context.js';
import type { TargetRun } from './run.js';
import { defect, noBytes, typed } from './settle-failure.js';

/** Stops everything that runs beside when the error says that the lease is lost; always throws the error. */
export type EndOnLoss = (error: unknown) => never;

/** One copy of an item to several targets, whose ends are told one by one: none waits for another. */
export class ContentCopy {
  /** Resolves when the copy has ended at all targets and nothing of it runs on; never rejects. */
  readonly ended: Promise<void>;
  /** Resolves when the content has come to one target, or the copy has ended without; never rejects. */
  readonly hasContent: Promise<void>;

  readonly #run: RunContext;
  readonly #ends: ReadonlyMap<string, TargetEnd>;
  readonly #endOnLoss: EndOnLoss;

  constructor(run: RunContext, targets: readonly TargetRun[], endOnLoss: EndOnLoss) {
    this.#run = run;
    this.#ends = new Map(targets.map((target) => [target.id, new TargetEnd(target)]));
    this.#endOnLoss = endOnLoss;
    this.ended = targets.length === 0 ? Promise.resolve() : this.#copy(targets);
    this.hasContent = this.#firstContent();
  }

  /** What the copy did at a target, as soon as it has ended there. Never rejects. */
  outcomeAt(target: TargetRun): Promise<CopyOutcome> {
    return this.#endOf(target.id).outcome;
  }

  async #copy(targets: readonly TargetRun[]): Promise<void> {
    const { item, ports, signal } = this.#run;
    let failure: WaybillError = defect('the copier gave no outcome', 'copy');
    try {
      await ports.copier.copy(item, targets, {
        beforeManifest: (id, manifest) => this.#beforeManifest(id, manifest),
        onSettled: (id, outcome) => this.#endOf(id).tell(outcome),
        signal,
      });
    } catch (error) {
      failure = typed(error, 'copy');
    }
    // What was told before stands.
    for (const end of this.#ends.values()) end.tell({ ...noBytes, outcome: 'failed', error: failure });
  }

  #firstContent(): Promise<void> {
    return new Promise((resolve) => {
      for (const { outcome } of this.#ends.values()) void outcome.then((end) => ('error' in end ? undefined : resolve()));
      void this.ended.then(resolve);
    });
  }

  async #beforeManifest(id: string, manifest: Manifest): Promise<void> {
    const end = this.#endOf(id);
    await this.#run.ports.journal
      .intendManifest(end.target, manifest)
      .catch((error: unknown) => {
        end.refusal = typed(error, 'record manifest');
        throw error;
      })
      .catch(this.#endOnLoss);
  }

  #endOf(id: string): TargetEnd {
    const end = this.#ends.get(id);
    if (end === undefined) throw defect(`the copier names ${id}, which is no target of this run`, 'copy');
    return end;
  }
}

/** The end of a copy at one target; of several the first counts. */
class TargetEnd {
  readonly outcome: Promise<CopyOutcome>;
  /** The copier wraps what its hook rejects with; the journal's own words decide what becomes of the target. */
  refusal: WaybillError | undefined;
  #resolve: (outcome: CopyOutcome) => void = () => undefined;

  constructor(readonly target: TargetRun) {
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  tell(outcome: CopyOutcome): void {
    if (this.refusal === undefined) this.#resolve(outcome);
    else this.#resolve({ ...outcome, outcome: 'failed', error: this.refusal });
  }
}
