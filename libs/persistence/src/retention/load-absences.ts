import type { Absence } from '@waybill/retention';
import type { Tables } from '../database.js';
import type { Places } from './load-manifests.js';

/**
 * Whether digests of repositories are at other registries, under any repository.
 * That one is absent is known only where it was seen to be there and to go, and where nothing of the registry is in doubt now:
 * what was never seen may stand there under no tag, where no crawl finds it.
 */
export async function loadAbsences(
  tables: Tables,
  places: Places,
  registries: readonly string[],
): Promise<(digest: string) => readonly Absence[]> {
  const known: { readonly registry: string; readonly of: (digest: string) => Absence['since'] }[] = [];
  for (const registry of registries) known.push({ registry, of: await absenceFrom(tables, places, registry) });
  if (known.length === 0) return () => none;
  return (digest) => known.map(({ registry, of }) => ({ registry, since: of(digest) }));
}

const none: readonly Absence[] = [];

async function absenceFrom(tables: Tables, places: Places, registry: string): Promise<(digest: string) => Absence['since']> {
  const [state] = await tables.$queryRaw<{ id: string; isDoubtful: boolean }[]>`
    SELECT r.id, NOT EXISTS (SELECT FROM crawl c WHERE c.registry_id = r.id AND c.kind = 'full' AND c.state = 'complete')
      OR EXISTS (SELECT FROM repository y WHERE y.registry_id = r.id
        AND (y.state IN ('suspect', 'unreadable') OR (y.state = 'known' AND (y.last_full_crawl_started_at IS NULL OR y.unreadable_manifests > 0)))) AS "isDoubtful"
    FROM registry r WHERE r.name = ${registry} AND r.replaced_at IS NULL`;
  if (state === undefined) return () => 'unknown';
  const rows = await tables.$queryRaw<{ digest: string; isPresent: boolean; goneAt: Date | null }[]>`
    SELECT digest_text(q.digest) AS digest, bool_or(q.seen_until IS NULL) AS "isPresent", max(q.seen_until) AS "goneAt"
    FROM placement p JOIN placement q ON q.digest = p.digest AND q.registry_id = ${state.id}::uuid
    WHERE p.registry_id = ${places.registryId}::uuid AND p.repository = ANY(${[...places.repositories]}::text[]) AND p.seen_until IS NULL
    GROUP BY q.digest`;
  const seen = new Map(rows.map((row) => [row.digest, row]));
  return (digest) => {
    const row = seen.get(digest);
    if (row?.isPresent === true) return 'present';
    return row?.goneAt === null || row === undefined || state.isDoubtful ? 'unknown' : row.goneAt.getTime();
  };
}
