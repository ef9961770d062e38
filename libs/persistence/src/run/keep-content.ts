import { digestFromBytes } from '@waybill/oci-model';
import { PromotionError } from '@waybill/promotion';
import type { IdempotentRequest } from '../access/idempotency-keys.js';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** How soon a deletion that is under way has come to its end, as a rule. */
const deletionMs = 30_000;

/** Something that a target needs and that is too late to keep. */
export interface LostRow {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: Uint8Array;
}

/**
 * Keeps what new item-targets need from being deleted: what runs of retention have marked is spared, what they or a purge
 * are deleting is too late to keep. Until the end of the transaction
 * no deletion begins at the registries. Of what was read for a request, also what was deleted since it was claimed is gone.
 * @throws PromotionError `being-deleted` when it is too late: nothing may be recorded
 */
export async function requireKept(
  tables: Tables,
  needs: { readonly targets: readonly string[]; readonly request?: IdempotentRequest },
): Promise<void> {
  const since = needs.request === undefined ? Prisma.sql`NULL` : claimOrder(needs.request);
  const [lost] = await tables.$queryRaw<LostRow[]>`
    SELECT registry, repository, tag, digest FROM keep_for_targets(${[...needs.targets]}::uuid[], ${since}::bigint) LIMIT 1`;
  if (lost !== undefined) throw beingDeleted(lost);
}

/** Keeps what targets need whose attempt is to begin; gives why some cannot begin now, by their ids. */
export async function keepForAttempt(tables: Tables, targets: readonly string[]): Promise<ReadonlyMap<string, PromotionError>> {
  const rows = await tables.$queryRaw<(LostRow & { readonly target: string })[]>`
    SELECT DISTINCT ON (target) target, registry, repository, tag, digest FROM keep_for_targets(${[...targets]}::uuid[], NULL::bigint) ORDER BY target`;
  return new Map(rows.map((row) => [row.target, beingDeleted(row)]));
}

/** What was read back at a target, and where its attempt began in the order of events. */
export interface ReadBack {
  readonly targetId: string;
  readonly digests: readonly Uint8Array[];
  readonly begun: bigint;
}

/**
 * `lost`: one of what a target was found to hold that somebody is deleting, or has deleted since the attempt began, who could not know
 * that it is needed: what is beneath a root that nobody had read is known only now. Until the end of the transaction no deletion
 * begins at the registry, and one that begins after it sees what the transaction wrote.
 */
export function lostSince({ targetId, digests, begun }: ReadBack): Prisma.Sql {
  return Prisma.sql`lost AS MATERIALIZED (SELECT * FROM lost_since(${targetId}::uuid, ${[...digests]}::bytea[], ${begun}::bigint))`;
}

function claimOrder({ principalId, route, key }: IdempotentRequest): Prisma.Sql {
  return Prisma.sql`(SELECT claim_order FROM idempotency_key WHERE principal_id = ${principalId}::uuid AND route = ${route} AND key = ${key})`;
}

export function beingDeleted({ registry, repository, tag, digest }: LostRow): PromotionError {
  const what = tag === '' ? digestFromBytes(digest) : `tag ${tag}`;
  return new PromotionError(`retention is deleting ${what} from ${registry}/${repository}, which the promotion needs`, {
    code: 'being-deleted',
    operation: 'promote',
    retryable: true,
    retryAfterMs: deletionMs,
    details: { registry, repository, digest: digestFromBytes(digest), ...(tag === '' ? {} : { tag }) },
  });
}
