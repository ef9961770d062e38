import { isDigest, isTag } from '@waybill/oci-model';
import { z } from 'zod';

/** RFC 3339, UTC. */
export const Timestamp = z.iso.datetime().describe('RFC 3339 time, UTC');
export const Id = z.uuid().describe('UUID');
export const DigestText = z
  .string()
  .refine(isDigest, 'not a digest: expected sha256: and 64 lower-case hex digits')
  .describe('digest of the OCI image specification');
export const TagText = z.string().refine(isTag, 'not a tag').describe('tag of the OCI distribution specification');
export const Bytes = z.int().min(0).describe('size in bytes');
export const Labels = z
  .record(z.string().min(1).max(63), z.string().max(1024))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels')
  .describe('free key-value pairs, at most 32');

/** Keyset cursor: opaque, as the answer before gave it. */
export const Cursor = z.string().min(1).max(200).describe('opaque; the `next` of the page before');
export const PageLimit = z.coerce.number().int().min(1).max(200).default(50).describe('entries per page, at most 200');
