import { isDigest, isTag } from '@waybill/oci-model';
import { z } from 'zod';

/** Neither PostgreSQL's text nor its jsonb can hold these: NUL, and halves of surrogate pairs. */
const unstorable = /\0|\p{Surrogate}/u;

/** Free text that can be kept as it is. */
export function Text(maxLength: number): z.ZodString {
  return z
    .string()
    .max(maxLength)
    .refine((text) => !unstorable.test(text), 'must not hold NUL or half of a surrogate pair');
}

/** RFC 3339, UTC. */
export const Timestamp = z.iso.datetime().describe('RFC 3339 time, UTC');
/** Any UUID: an administrator's key may have an id that no version of RFC 9562 made. */
export const Id = z.guid().describe('UUID');
export const DigestText = z
  .string()
  .refine(isDigest, 'not a digest: expected sha256: and 64 lower-case hex digits')
  .describe('digest of the OCI image specification');
export const TagText = z.string().refine(isTag, 'not a tag').describe('tag of the OCI distribution specification');
export const Count = z.int().min(0);
export const Bytes = Count.describe('size in bytes');
export const Labels = z
  .record(Text(63).min(1), Text(1024))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels')
  .describe('free key-value pairs, at most 32');

/** Keyset cursor: opaque, as the answer before gave it. */
export const Cursor = z.string().min(1).max(400).describe('opaque; the `next` of the page before');
const maxPage = 200;
export const PageLimit = z.preprocess(readLimit, z.int().min(1).max(maxPage)).default(50).describe(`entries per page, at most ${maxPage}`);
/** What every list takes. */
export const Page = z.strictObject({ limit: PageLimit, cursor: Cursor.optional() });

const maxShown = 50;

/** The text of a query as a number; what is none is named as it was given, which a coercion would turn into NaN. */
function readLimit(given: unknown, context: z.RefinementCtx): unknown {
  const limit = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (limit >= 1 && limit <= maxPage) return limit;
  const shown = JSON.stringify(given);
  context.addIssue(`expected a whole number from 1 to ${maxPage}, not ${shown.length > maxShown ? `${shown.slice(0, maxShown)}…` : shown}`);
  return z.NEVER;
}
