import { z } from 'zod';

/** The job that runs one promotion's targets at one location. */
export const runPromotionName = 'run-promotion';

/**
 * What a worker is told: ids, and nothing that could be stale when it is read. The rows say the rest.
 *
 * `dispatch` is raised in the transaction that writes the outbox row, so that every intended run has an id of its own.
 */
export const RunPromotion = z.strictObject({
  v: z.literal(1),
  promotionId: z.uuid(),
  location: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  dispatch: z.int().nonnegative(),
});

export type RunPromotion = z.infer<typeof RunPromotion>;
