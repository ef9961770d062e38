import type { Promotion, TargetProgress } from '@waybill/contracts/http';
import type { Progress, ProgressTask } from '../output/progress.js';
import { failureOf, hasArrived, pauseOf } from '../output/promotion-table.js';

type Target = Promotion['items'][number]['targets'][number];

/** One target of a promotion that is followed. */
export class TargetRow {
  readonly registry: string;
  readonly #progress: Progress;
  readonly #task: ProgressTask;
  #target: Target;
  #forecast: number | undefined;
  #underWay = 0;
  #told: string | undefined;
  #isFinished = false;

  constructor(target: Target, progress: Progress) {
    const { registry, repository, tags } = target;
    this.registry = registry;
    this.#target = target;
    this.#progress = progress;
    this.#task = progress.task(`${registry}/${repository}${tags[0] === undefined ? '' : `:${tags[0].tag}`}`);
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  update(target: Target, forecast: number | undefined): void {
    if (this.#isFinished) return;
    if (target.state !== 'copying') this.#underWay = 0;
    this.#target = target;
    this.#forecast = forecast;
    if (target.outcome === undefined) {
      this.#draw();
      this.#tell(pauseOf(target) ?? failureOf(target));
      return;
    }
    this.#isFinished = true;
    if (hasArrived(target.outcome)) this.#task.done(target.outcome);
    else this.#task.failed(target.outcome);
  }

  /** Bytes of an attempt that has not ended. */
  underWay({ bytesCopied, bytesMounted, bytesSkipped }: TargetProgress): void {
    if (this.#isFinished || this.#target.state !== 'copying') return;
    this.#underWay = bytesCopied + bytesMounted + bytesSkipped;
    this.#draw();
  }

  #draw(): void {
    const { bytesCopied, bytesMounted, bytesSkipped, state } = this.#target;
    const moved = Math.max(bytesCopied + bytesMounted + bytesSkipped, this.#underWay);
    this.#task.update(moved, this.#forecast === undefined ? undefined : Math.max(moved, this.#forecast), state);
  }

  /** Each reason to wait is said once. */
  #tell(trouble: string | undefined): void {
    if (trouble !== undefined && trouble !== this.#told) this.#progress.line(trouble);
    this.#told = trouble;
  }
}
