import type { Promotion } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { type Progress, progressOn, type ProgressTask } from '../output/progress.js';
import { failureOf } from '../output/promotion-table.js';
import { awaitPromotion } from './await-promotion.js';

type Target = Promotion['items'][number]['targets'][number];

/** Outcomes with which a target holds what it should. */
const reached: readonly Target['outcome'][] = ['copied', 'mounted', 'already-present'];

/** Follows a promotion to its end: a bar or a line per target. */
export async function followPromotion(api: WaybillApi, id: string, output: Output, signal?: AbortSignal): Promise<Promotion> {
  const progress = progressOn(output);
  const rows = new Map<string, TargetRow>();
  try {
    return await awaitPromotion(api, id, {
      signal,
      onUpdate: (promotion) => {
        for (const [position, item] of promotion.items.entries()) {
          for (const target of item.targets) {
            const key = `${position} ${target.registry}`;
            const row = rows.get(key) ?? new TargetRow(target, progress);
            rows.set(key, row);
            row.update(target, forecastOf(promotion, position, target));
          }
        }
      },
      onSilence: ({ message }) => progress.line(`${message}; asking again`),
    });
  } finally {
    progress.stop();
  }
}

class TargetRow {
  readonly #progress: Progress;
  readonly #task: ProgressTask;
  #told: string | undefined;
  #isFinished = false;

  constructor({ registry, repository, tags }: Target, progress: Progress) {
    this.#progress = progress;
    this.#task = progress.task(`${registry}/${repository}${tags[0] === undefined ? '' : `:${tags[0].tag}`}`);
  }

  update(target: Target, forecast: number | undefined): void {
    if (this.#isFinished) return;
    if (target.outcome === undefined) {
      const moved = target.bytesCopied + target.bytesMounted + target.bytesSkipped;
      this.#task.update(moved, forecast === undefined ? undefined : Math.max(moved, forecast), target.state);
      this.#tell(failureOf(target));
      return;
    }
    this.#isFinished = true;
    if (reached.includes(target.outcome)) this.#task.done(target.outcome);
    else this.#task.failed(target.outcome);
  }

  /** Each reason to wait is said once. */
  #tell(trouble: string | undefined): void {
    if (trouble !== undefined && trouble !== this.#told) this.#progress.line(trouble);
    this.#told = trouble;
  }
}

function forecastOf(promotion: Promotion, item: number, { registry }: Target): number | undefined {
  const forecast = promotion.estimate.targets.find((one) => one.item === item && one.registry === registry);
  return forecast?.bytes && forecast.bytes.copy + forecast.bytes.mount + forecast.bytes.skip;
}
