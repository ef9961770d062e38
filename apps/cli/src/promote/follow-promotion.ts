import type { CopyProgress, Promotion } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { progressOn } from '../output/progress.js';
import { awaitPromotion } from './await-promotion.js';
import { BlobRows } from './blob-rows.js';
import { TargetRow } from './target-row.js';

/** Follows a promotion to its end: a bar or a line per target and, on a terminal, a bar for every blob under way. */
export async function followPromotion(api: WaybillApi, id: string, output: Output, signal?: AbortSignal): Promise<Promotion> {
  const progress = progressOn(output);
  const rows = new Map<string, TargetRow>();
  const blobs = new BlobRows(progress);
  const onUpdate = (promotion: Promotion): void => {
    for (const [position, item] of promotion.items.entries()) {
      for (const target of item.targets) {
        const row = rows.get(target.id) ?? new TargetRow(target, progress);
        rows.set(target.id, row);
        row.update(target, forecastOf(promotion, position, target));
        if (target.state !== 'copying') blobs.endOf(target.id);
      }
    }
  };
  const onProgress = (news: CopyProgress): void => {
    for (const sums of news.targets) rows.get(sums.target)?.underWay(sums);
    for (const blob of news.blobs) {
      const row = rows.get(blob.target);
      if (row !== undefined && !row.isFinished) blobs.update(blob, row.registry);
    }
  };
  try {
    const onSilence = ({ message }: Error): void => progress.line(`${message}; asking again`);
    return await awaitPromotion(api, id, { signal, onUpdate, onProgress, onSilence });
  } finally {
    progress.stop();
  }
}

function forecastOf(promotion: Promotion, item: number, { registry }: { readonly registry: string }): number | undefined {
  const forecast = promotion.estimate.targets.find((one) => one.item === item && one.registry === registry);
  return forecast?.bytes && forecast.bytes.copy + forecast.bytes.mount + forecast.bytes.skip;
}
