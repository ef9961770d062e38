import { z } from 'zod';

/** The job that checks one registry for one check, from one location. */
export const checkRegistryName = 'check-registry';

/** Ids, and nothing that could be stale when it is read; `dispatch` is raised each time the job is sent again. */
export const CheckRegistry = z.strictObject({
  v: z.literal(1),
  checkId: z.uuid(),
  registryId: z.uuid(),
  location: z
    .string()
    .max(63)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  dispatch: z.int().nonnegative(),
});

export type CheckRegistry = z.infer<typeof CheckRegistry>;
