import type { Tables } from '../database.js';

/**
 * Since when every pull from the repository is known, in milliseconds since 1970. Unknown where the registry is not heard now, and
 * while a pull waits for a worker to find out what it was of.
 */
export async function pullsKnownSince(
  tables: Tables,
  { registryId, repository }: { readonly registryId: string; readonly repository: string },
): Promise<number | 'unknown'> {
  const [feed] = await tables.$queryRaw<{ known_since: Date }[]>`
    SELECT f.known_since FROM notification_feed f
    WHERE f.registry_id = ${registryId}::uuid AND f.known_since IS NOT NULL AND f.heard_at >= clock_timestamp() - f.silence
      AND NOT EXISTS (
        SELECT 1 FROM notification_hint h
        WHERE h.registry_id = f.registry_id AND h.repository = ${repository} AND h.pulled_at IS NOT NULL
      )`;
  return feed?.known_since.getTime() ?? 'unknown';
}
