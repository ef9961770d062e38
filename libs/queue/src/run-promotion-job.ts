import { RunPromotion, runPromotionName } from '@waybill/contracts/jobs';
import { defineJob } from './define-job.js';

/** One job per promotion, location and dispatch; each location has a queue of its own, so that bytes stay near. */
export const runPromotionJob = defineJob<RunPromotion>({
  name: runPromotionName,
  payload: RunPromotion,
  queueFor: ({ location }) => runPromotionQueue(location),
  idFor: ({ promotionId, location, dispatch }) => `${promotionId}.${location}.${dispatch}`,
});

/** The queue of a location's promotions. */
export function runPromotionQueue(location: string): string {
  return `${runPromotionName}.${location}`;
}
