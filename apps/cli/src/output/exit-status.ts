import type { Promotion } from '@waybill/contracts/http';

/** Exit statuses of the command line; documented in docs/cli.md. */
export const exitStatus = {
  succeeded: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  superseded: 4,
  unfinished: 5,
  cancelled: 6,
  rejected: 7,
} as const;

export function exitStatusOf(promotion: Pick<Promotion, 'state'>): number {
  switch (promotion.state) {
    case 'succeeded':
    case 'partial':
    case 'superseded':
    case 'failed':
    case 'rejected':
    case 'cancelled':
      return exitStatus[promotion.state];
    case 'requested':
    case 'waiting':
    case 'running':
      return exitStatus.unfinished;
  }
}
