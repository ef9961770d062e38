import { Descriptor } from '@waybill/oci-model';
import { z } from 'zod';

/** distribution-spec v1.1.1, "Error Codes". Each entry is parsed by itself: one bad entry takes nothing from the others. */
export const ErrorBody = z.object({ errors: z.array(z.unknown()) });

/** `detail` is free: each registry has its own. */
export const ErrorEntry = z.object({
  code: z.string(),
  message: z.string().nullish(),
  detail: z.unknown().optional(),
});
export type ErrorEntry = z.infer<typeof ErrorEntry>;

/** The `detail` with which Distribution names what a manifest lacks. */
export const MissingContent = z.object({ digest: z.string().max(200) });

/** distribution-spec v1.1.1, "Listing Tags". Distribution writes null where there are none. */
export const TagList = z.object({
  tags: z
    .array(z.string())
    .nullish()
    .transform((tags) => tags ?? []),
});

/** Distribution's catalogue, which the specification leaves out. */
export const RepositoryList = z.object({
  repositories: z
    .array(z.string())
    .nullish()
    .transform((repositories) => repositories ?? []),
});

/** distribution-spec v1.1.1, "Listing Referrers". Go programs write null where there are none. */
export const ReferrerList = z.object({
  schemaVersion: z.literal(2),
  manifests: z
    .array(Descriptor)
    .nullable()
    .transform((manifests) => manifests ?? []),
});
