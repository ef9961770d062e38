import { type Digest, digestToBytes, type Tag } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';

/** Why something that was condemned stays, or could not be deleted: a code for programs and a clause for people. */
export interface SparedReason {
  readonly code: string;
  readonly message: string;
}

/** What was found at the registry after a deletion. */
export type DeletionOutcome =
  /** `tagsGone`: those of its tags that name nothing any more. */
  | { readonly outcome: 'gone'; readonly tagsGone: readonly Tag[] }
  /** It is still there. */
  | { readonly outcome: 'there'; readonly reason: SparedReason }
  /** The registry could not say. */
  | { readonly outcome: 'unknown'; readonly reason: SparedReason };

/** Of a statement that settles effects of runs: what its common table expression `settled` returns. */
export const settledOfRun = Prisma.sql`e.id, e.retention_run_id, e.kind, e.registry_id, e.repository, e.tag, e.digest, e.observed_digest,
  e.outcome, e.intended_at`;

/**
 * The common table expression that appends the records of `settled`: with the policy of the run, the approval that it acts on, and what
 * its plan says of the digest: why it goes, and where a copy was made before.
 */
export function recordOfRun(more: object = {}): Prisma.Sql {
  return Prisma.sql`recorded AS (
    INSERT INTO provenance_record (kind, retention_run_id, subject, effect_id, body)
    SELECT 'effect', s.retention_run_id, s.digest, s.id, jsonb_strip_nulls(jsonb_build_object(
      'effect', s.kind, 'registry', r.name, 'repository', s.repository, 'tag', nullif(s.tag, ''), 'outcome', s.outcome,
      'observed', digest_text(s.observed_digest), 'intendedAt', s.intended_at, 'policy', u.policy,
      'policyHash', encode(u.policy_hash, 'hex'), 'planHash', encode(u.plan_hash, 'hex'), 'approval', u.approval_id,
      'planApprovedBy', u.plan_approved_by, 'reasons', d.reasons, 'archivedTo', d.archived_to) || ${storableJson(more)}::jsonb)
    FROM settled s JOIN retention_run u ON u.id = s.retention_run_id JOIN registry r ON r.id = s.registry_id
      LEFT JOIN LATERAL (
        SELECT reasons, CASE verdict WHEN 'archive' THEN archive_to END AS archived_to FROM retention_decision
        WHERE run_id = s.retention_run_id AND digest = s.digest AND repository = s.repository AND tag = s.tag LIMIT 1
      ) d ON s.kind = 'deletion'
    ORDER BY s.intended_at, s.id
  )`;
}

/** Where deletions of a run are. */
export interface DeletionPlace {
  readonly runId: string;
  readonly registryId: string;
  readonly repository: string;
}

/** Intends one deletion; gives the id of its effect, that which stood open already, or undefined when it has been done. */
export async function intendDeletion(
  tables: Tables,
  { runId, registryId, repository }: DeletionPlace,
  { effectId, digest, tag }: { readonly effectId: string; readonly digest: Digest; readonly tag: Tag | '' },
): Promise<string | undefined> {
  const bytes = digestToBytes(digest);
  await tables.$executeRaw`
    INSERT INTO effect (id, retention_run_id, kind, registry_id, repository, digest, tag, state)
    VALUES (${effectId}::uuid, ${runId}::uuid, 'deletion', ${registryId}::uuid, ${repository}, ${bytes}, ${tag}, 'intended')
    ON CONFLICT (retention_run_id, registry_id, repository, kind, digest, tag)
      WHERE retention_run_id IS NOT NULL AND outcome IS DISTINCT FROM 'not-written' AND outcome IS DISTINCT FROM 'not-deleted' DO NOTHING`;
  const [row] = await tables.$queryRaw<{ id: string }[]>`
    SELECT id FROM effect WHERE retention_run_id = ${runId}::uuid AND registry_id = ${registryId}::uuid AND repository = ${repository}
      AND kind = 'deletion' AND digest = ${bytes} AND tag = ${tag} AND state = 'intended'`;
  return row?.id;
}

/** What an effect was about; undefined where it is settled already, or not the run's. */
export interface SettledDeletion {
  readonly repository: string;
  readonly digest: Uint8Array;
  readonly tag: Tag | '';
}

/** Settles an effect from what was found, with its record. */
export async function settleEffect(
  tables: Tables,
  runId: string,
  effectId: string,
  found: DeletionOutcome,
): Promise<SettledDeletion | undefined> {
  const outcome = { gone: 'deleted', there: 'not-deleted', unknown: 'unknown' }[found.outcome];
  const more = found.outcome === 'gone' ? { tags: found.tagsGone } : { reason: found.reason.message };
  const [settled] = await tables.$queryRaw<SettledDeletion[]>`
    WITH settled AS (
      UPDATE effect e SET state = 'settled', settled_at = now(), outcome = ${outcome},
        observed_digest = CASE WHEN ${found.outcome} = 'there' THEN e.digest END
      WHERE e.id = ${effectId}::uuid AND e.retention_run_id = ${runId}::uuid AND e.state = 'intended' AND e.kind = 'deletion'
      RETURNING ${settledOfRun}
    ), ${recordOfRun(more)}
    SELECT repository, digest, tag FROM settled`;
  return settled;
}

/** Settles the open effects of a run, of one repository or of all, about which nothing is known any more. */
export async function settleAsUnknown(
  tables: Tables,
  runId: string,
  of: { readonly repository?: string; readonly why: string },
): Promise<void> {
  const here = of.repository === undefined ? Prisma.empty : Prisma.sql`AND e.repository = ${of.repository}`;
  await tables.$executeRaw`
    WITH settled AS (
      UPDATE effect e SET state = 'settled', settled_at = now(), outcome = 'unknown'
      WHERE e.retention_run_id = ${runId}::uuid AND e.state = 'intended' ${here}
      RETURNING ${settledOfRun}
    ), ${recordOfRun({ reason: of.why })}
    SELECT 1`;
}
