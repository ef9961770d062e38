import { z } from 'zod';

/** distribution-spec v1.1.1, "Error Codes". `detail` is free: each registry has its own. */
export const ErrorBody = z.object({
  errors: z
    .array(
      z.object({
        code: z.string().max(100),
        message: z.string().nullish(),
        detail: z.unknown(),
      }),
    )
    .max(10_000),
});
export type ErrorBody = z.infer<typeof ErrorBody>;

/** The `detail` with which Distribution names what a manifest lacks. */
export const MissingContent = z.object({ digest: z.string().max(200) });

/** distribution-spec v1.1.1, "Listing Tags". Distribution writes null where there are none. */
export const TagList = z.object({
  tags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
});
