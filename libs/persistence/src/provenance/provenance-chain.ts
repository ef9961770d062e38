import { type Digest, digestFromBytes, digestToBytes } from '@waybill/oci-model';
import { type ChainLink, linkRecords, type ProvenanceRecord, type RecordOwner } from '@waybill/provenance';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';

/** Only one sequencer links at a time, whatever the number of workers. */
const sequencerLock = 7_270_002;
const batch = 500;

/** A record with its place in the chain, if it has one already. */
export interface ChainedRecord {
  readonly record: ProvenanceRecord;
  readonly link: ChainLink | undefined;
}

interface Row {
  readonly id: bigint;
  readonly kind: 'effect' | 'decision';
  readonly promotion_id: string | null;
  readonly retention_run_id: string | null;
  readonly subject: Uint8Array;
  readonly body: unknown;
  readonly occurred_at: string;
}
interface LinkedRow extends Row {
  readonly sequence: bigint | null;
  readonly previous_hash: Uint8Array | null;
  readonly hash: Uint8Array | null;
}

const columns = Prisma.sql`r.id, r.kind, r.promotion_id, r.retention_run_id, r.subject, r.body,
  to_char(r.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred_at`;

/** The append-only record of effects and decisions, and its hash chain. */
export class ProvenanceChain {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Links what was appended and is not linked yet, in the order of appending, at most 500 records.
   * Gives how many; 0 also when another sequencer is at work.
   */
  async linkPending(): Promise<number> {
    return this.#database.transaction(async (tables) => {
      const [lock] = await tables.$queryRaw<{ ours: boolean }[]>`SELECT pg_try_advisory_xact_lock(${sequencerLock}::bigint) AS ours`;
      if (lock?.ours !== true) return 0;
      const pending = await tables.provenanceUnchained.findMany({ orderBy: { recordId: 'asc' }, take: batch });
      if (pending.length === 0) return 0;
      const ids = pending.map(({ recordId }) => recordId);
      const records = await recordsOf(tables, ids);
      const last = await tables.provenanceChain.findFirst({ orderBy: { sequence: 'desc' }, select: { sequence: true, hash: true } });
      const links = linkRecords(last ?? undefined, records);
      await tables.provenanceChain.createMany({
        data: links.map(({ sequence, recordId, previousHash, hash }) => ({
          sequence,
          recordId,
          previousHash: new Uint8Array(previousHash),
          hash: new Uint8Array(hash),
        })),
      });
      await tables.provenanceUnchained.deleteMany({ where: { recordId: { in: ids } } });
      return links.length;
    });
  }

  /** Records about a digest, oldest first, after the record id `after`. */
  async about(digest: Digest, page: { readonly after: bigint; readonly limit: number }): Promise<ChainedRecord[]> {
    const rows = await this.#database.tables.$queryRaw<LinkedRow[]>`
      SELECT ${columns}, c.sequence, c.previous_hash, c.hash
      FROM provenance_record r LEFT JOIN provenance_chain c ON c.record_id = r.id
      WHERE r.subject = ${digestToBytes(digest)} AND r.id > ${page.after} ORDER BY r.id LIMIT ${page.limit}`;
    return rows.map(toChained);
  }

  /** The chain itself, from sequence number `after` on, for verification. */
  async links(page: { readonly after: bigint; readonly limit: number }): Promise<ChainedRecord[]> {
    const rows = await this.#database.tables.$queryRaw<LinkedRow[]>`
      SELECT ${columns}, c.sequence, c.previous_hash, c.hash
      FROM provenance_chain c JOIN provenance_record r ON r.id = c.record_id
      WHERE c.sequence > ${page.after} ORDER BY c.sequence LIMIT ${page.limit}`;
    return rows.map(toChained);
  }
}

/** By their ids: joined to the table of what is pending, whose size the planner never knows, it would read all records. */
async function recordsOf(tables: Tables, ids: readonly bigint[]): Promise<ProvenanceRecord[]> {
  const rows = await tables.$queryRaw<Row[]>`SELECT ${columns} FROM provenance_record r WHERE r.id = ANY(${ids}::bigint[]) ORDER BY r.id`;
  return rows.map(toRecord);
}

function toRecord(row: Row): ProvenanceRecord {
  return {
    id: row.id,
    kind: row.kind,
    ...ownerOf(row),
    subject: digestFromBytes(row.subject),
    body: row.body,
    occurredAt: row.occurred_at,
  };
}

/** A check of the table has it that there is exactly one. */
function ownerOf({ promotion_id: promotionId, retention_run_id: retentionRunId }: Row): RecordOwner {
  if (promotionId !== null) return { promotionId };
  if (retentionRunId !== null) return { retentionRunId };
  throw new Error('a record belongs to nothing');
}

function toChained(row: LinkedRow): ChainedRecord {
  const { sequence, previous_hash: previousHash, hash } = row;
  const linked = sequence !== null && previousHash !== null && hash !== null;
  return { record: toRecord(row), link: linked ? { sequence, recordId: row.id, previousHash, hash } : undefined };
}
