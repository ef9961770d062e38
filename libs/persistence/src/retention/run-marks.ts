import { type Digest, digestFromBytes } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { SparedReason } from './deletion-effects.js';
import type { MarkState } from './mark-manifests.js';

/** What became of one manifest that a run condemned. */
export interface MarkRow {
  readonly repository: string;
  /** Its place in the plan of its repository. */
  readonly position: number;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly state: MarkState;
  /** Why it was spared or brought back, or could not be deleted. */
  readonly reason: SparedReason | null;
  readonly markedAt: Date;
  /** When its grace is over. */
  readonly dueAt: Date;
  readonly settledAt: Date | null;
}

export interface MarkPage {
  /** Only those of one repository. */
  readonly repository?: string;
  readonly after?: { readonly repository: string; readonly position: number };
  readonly limit: number;
}

/** In the order of repositories, then of their plans. */
export async function listMarks(database: Database, runId: string, { repository, after, limit }: MarkPage): Promise<MarkRow[]> {
  const of = repository === undefined ? Prisma.sql`true` : Prisma.sql`repository = ${repository}`;
  const rest =
    after === undefined ? Prisma.sql`true` : Prisma.sql`(repository, position) > (${after.repository}, ${after.position}::integer)`;
  const rows = await database.tables.$queryRaw<(Omit<MarkRow, 'digest'> & { readonly digest: Uint8Array })[]>`
    SELECT repository, position, digest, media_type AS "mediaType", state, error AS reason, marked_at AS "markedAt", due_at AS "dueAt",
      settled_at AS "settledAt"
    FROM retention_mark WHERE run_id = ${runId}::uuid AND ${of} AND ${rest} ORDER BY repository, position LIMIT ${limit}`;
  return rows.map((row) => ({ ...row, digest: digestFromBytes(row.digest) }));
}
