import type { CreatePromotion, Promotion } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus, exitStatusOf } from '../output/exit-status.js';
import { progressOn } from '../output/progress.js';
import { promotionNotes, promotionTable } from '../output/promotion-table.js';
import { awaitPromotion } from './await-promotion.js';

export interface PromoteOptions {
  readonly path: string;
  readonly tag?: readonly string[];
  readonly reason?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly externalRef?: string;
  readonly idempotencyKey?: string;
  readonly wait: boolean;
  readonly json: boolean;
  readonly signal?: AbortSignal;
}

/** Asks for a promotion of one or more sources; gives the exit status. */
export async function promote(api: WaybillApi, sources: readonly string[], options: PromoteOptions, output: Output): Promise<number> {
  const accepted = await api.createPromotion(requestOf(sources, options), options.idempotencyKey);
  if (!options.wait) {
    if (options.json) output.json(accepted);
    else output.line(`promotion ${accepted.id} is requested; follow it with: waybill status ${accepted.id}`);
    return exitStatus.succeeded;
  }
  output.line(`promotion ${accepted.id}`);
  const promotion = await follow(api, accepted.id, output, options.signal);
  if (options.json) output.json(promotion);
  else printPromotion(promotion, output);
  return exitStatusOf(promotion);
}

export function printPromotion(promotion: Promotion, output: Output): void {
  output.line(promotionTable(promotion));
  for (const note of promotionNotes(promotion)) output.line(note);
  output.line(`${promotion.state}${promotion.settled ? '' : ' (replicas are still on their way)'}`);
}

/** One bar or line per target until all are done. */
export async function follow(api: WaybillApi, id: string, output: Output, signal?: AbortSignal): Promise<Promotion> {
  const progress = progressOn(output);
  const tasks = new Map<string, ReturnType<typeof progress.task>>();
  const finished = new Set<string>();
  try {
    return await awaitPromotion(api, id, {
      settled: true,
      ...(signal === undefined ? {} : { signal }),
      onUpdate: (promotion) => {
        for (const [position, item] of promotion.items.entries()) {
          for (const target of item.targets) {
            const key = `${position} ${target.registry}`;
            const task = tasks.get(key) ?? progress.task(`${target.registry}/${target.repository}`);
            tasks.set(key, task);
            const forecast = promotion.estimate.targets.find((one) => one.item === position && one.registry === target.registry)?.bytes;
            const moved = target.bytesCopied + target.bytesMounted + target.bytesSkipped;
            task.update(moved, forecast === undefined ? moved : Math.max(moved, forecast.copy + forecast.mount + forecast.skip));
            if (target.outcome === undefined || finished.has(key)) continue;
            finished.add(key);
            task.done(target.outcome);
          }
        }
      },
    });
  } finally {
    progress.stop();
  }
}

function requestOf(sources: readonly string[], options: PromoteOptions): CreatePromotion {
  return {
    path: options.path,
    items: sources.map((source) => ({
      source,
      ...(options.tag === undefined ? {} : { tags: options.tag as CreatePromotion['items'][number]['tags'] }),
    })),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(options.label === undefined ? {} : { labels: { ...options.label } }),
    ...(options.externalRef === undefined ? {} : { externalRef: options.externalRef }),
  };
}
