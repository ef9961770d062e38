import { manifestMediaTypes } from '@waybill/oci-model';
import { Prisma } from '../generated/client.js';

/**
 * Open placements `p` of manifests in a repository whose bytes nobody has read: what an effect left there, and a tag names no more
 * before a crawl came by.
 */
export function unreadPlaces(registryId: string, repository: string): Prisma.Sql {
  return Prisma.sql`placement p JOIN content c ON c.digest = p.digest
    WHERE p.registry_id = ${registryId}::uuid AND p.repository = ${repository} AND p.seen_until IS NULL
      AND c.media_type = ANY(${[...manifestMediaTypes]}::text[])
      AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = p.digest)`;
}
