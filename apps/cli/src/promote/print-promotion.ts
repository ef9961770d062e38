import type { Promotion } from '@waybill/contracts/http';
import type { Output } from '../output/console-output.js';
import { hasArrived, promotionNotes, promotionTable } from '../output/promotion-table.js';

/** What was asked for, when and why, for whoever did not ask just now. */
export function printRequest({ path, requestedAt, reason, items }: Promotion, output: Output): void {
  for (const { source, digest } of items) {
    const image = `${source.registry}/${source.repository}${source.tag === undefined ? '' : `:${source.tag}`}@${digest}`;
    output.line(`${image} along path "${path}"`);
  }
  output.line(`requested ${requestedAt}${reason === undefined ? '' : `: ${reason}`}`);
  output.line();
}

/** The targets of a promotion as a table, what went wrong, and its state. */
export function printPromotion(promotion: Promotion, output: Output): void {
  output.line(promotionTable(promotion));
  for (const note of promotionNotes(promotion)) output.line(note);
  const rest = promotion.settled || promotion.finishedAt === undefined ? '' : ' (replicas are still on their way)';
  output.line([`promotion ${promotion.id}: ${promotion.state}${rest}`, ...missedReplicas(promotion)].join('; '));
}

/** Replicas do not decide how a promotion ends, so its state does not tell of them. */
function missedReplicas({ items }: Promotion): string[] {
  const ended = items.flatMap(({ targets }) => targets).filter(({ requirement, outcome }) => requirement === 'best-effort' && outcome);
  return ended.flatMap(({ registry, outcome }) => (hasArrived(outcome) ? [] : [`replica ${registry}: ${outcome}`]));
}
