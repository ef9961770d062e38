import type { Tables } from '../database.js';

/**
 * Since when every pull from each of the repositories is known, in milliseconds since 1970. Unknown where the registry is not
 * heard now, and while a pull waits for a worker to find out what it was of.
 */
export async function pullsKnownOf(
  tables: Tables,
  { registryId, repositories }: { readonly registryId: string; readonly repositories: readonly string[] },
): Promise<(repository: string) => number | 'unknown'> {
  const [feed] = await tables.$queryRaw<{ known_since: Date; waiting: readonly string[] }[]>`
    SELECT f.known_since, ARRAY(
      SELECT DISTINCT h.repository FROM notification_hint h
      WHERE h.registry_id = f.registry_id AND h.repository = ANY(${[...repositories]}::text[]) AND h.pulled_at IS NOT NULL) AS waiting
    FROM notification_feed f
    WHERE f.registry_id = ${registryId}::uuid AND f.known_since IS NOT NULL AND f.heard_at >= clock_timestamp() - f.silence`;
  if (feed === undefined) return () => 'unknown';
  const waiting = new Set(feed.waiting);
  return (repository) => (waiting.has(repository) ? 'unknown' : feed.known_since.getTime());
}
