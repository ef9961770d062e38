import { matchesPattern } from '@waybill/access';
import { type Digest, digestToBytes } from '@waybill/oci-model';
import type { StoredAnswer } from '../access/idempotency-keys.js';
import type { Decision } from '../control/decision.js';
import type { Database, Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { answered, type ClaimedRequest } from './answered.js';
import { RetentionRefusal } from './retention-refusal.js';
import { recordAct } from './retention-record.js';

/** One digest that runs somewhere, and where it came from as far as that is known. */
export interface DigestInUse {
  readonly digest: Digest;
  readonly registry?: string;
  readonly repository?: string;
}

/** All that a reporter sees running now: what it does not name any more is no longer in use. */
export interface InUseReport {
  readonly reporter: string;
  readonly kind: string;
  readonly by: string;
  /** Patterns of what it would see: a silent reporter makes this unknown. */
  readonly covers: { readonly registries: readonly string[]; readonly repositories: readonly string[] };
  readonly everyMs: number;
  readonly digests: readonly DigestInUse[];
}

/** A reporter as it is known. */
export interface InUseReporterRow {
  readonly name: string;
  readonly kind: string;
  readonly principalId: string;
  readonly registries: readonly string[];
  readonly repositories: readonly string[];
  readonly everyMs: number;
  readonly since: Date;
  readonly lastReportAt: Date;
  /** Silent for more than three times its interval, and not retired: what it covers is unknown. */
  readonly isSilent: boolean;
  readonly digests: number;
  readonly retiredAt: Date | null;
  readonly retiredBy: string | null;
  readonly retireReason: string | null;
}

/** What reporters say of a registry: which digests run, by whom that was said, and whose silence leaves what open. */
export interface KnownInUse {
  readonly digests: readonly { readonly digest: string; readonly reporter: string }[];
  readonly silent: readonly InUseReporterRow[];
}

/** Digests that run: with more nobody can look at all of them, so nothing may be planned to go. */
const defaultMaxDigests = 500_000;

const isSilent = Prisma.sql`r.retired_at IS NULL AND r.last_report_at + 3 * r.every_ms * interval '1 millisecond' < now()`;

/** Which digests run somewhere, as reporters tell. */
export class InUse {
  readonly #database: Database;
  readonly #maxDigests: number;

  constructor(database: Database, { maxDigests = defaultMaxDigests }: { readonly maxDigests?: number } = {}) {
    this.#database = database;
    this.#maxDigests = maxDigests;
  }

  /**
   * Replaces what the reporter said before, in one transaction with the answer; undefined, and nothing done, when the request's claim
   * was taken over meanwhile. A retired reporter that speaks again counts again.
   * @throws RetentionRefusal `reporter-taken` where the name is another principal's
   */
  report(report: InUseReport, request: ClaimedRequest<InUseReporterRow>): Promise<StoredAnswer | undefined> {
    return answered(this.#database, request, async (tables) => {
      await putReporter(tables, report);
      await replaceDigests(tables, report);
      const row = await findReporter(tables, report.reporter);
      if (row === undefined) throw new Error(`reporter ${report.reporter} is gone from under its lock`);
      return row;
    });
  }

  async list({ after = '', limit }: { readonly after?: string; readonly limit: number }): Promise<InUseReporterRow[]> {
    const rows = await this.#database.tables.$queryRaw<RawReporter[]>`
      SELECT ${reporterColumns} FROM in_use_reporter r WHERE r.name > ${after} ORDER BY r.name LIMIT ${limit}`;
    return rows.map(toReporter);
  }

  /**
   * What it covered is no longer unknown for its silence, and what it said runs no longer counts.
   * @throws RetentionRefusal `reporter-unknown`
   */
  async retire(name: string, { by, reason = '' }: Decision): Promise<InUseReporterRow> {
    return this.#database.transaction(async (tables) => {
      const retired = await tables.$executeRaw`
        UPDATE in_use_reporter SET retired_at = now(), retired_by = ${by}::uuid, retire_reason = ${reason}
        WHERE name = ${name} AND retired_at IS NULL`;
      if (retired > 0) {
        await tables.inUseDigest.deleteMany({ where: { reporter: name } });
        await recordAct(tables, { act: 'reporter-retired', subject: name, by, reason });
      }
      const row = await findReporter(tables, name);
      if (row === undefined) {
        throw new RetentionRefusal('there is no such reporter', { code: 'reporter-unknown', operation: 'retire reporter' });
      }
      return row;
    });
  }

  /**
   * Digests that run anywhere, and the reporters that cover the registry, by its name in the topology, and are silent. A digest counts in
   * every registry and repository, whichever were reported: a node knows by which name it pulled, and not from where that was served.
   * @throws RetentionRefusal `too-much-protected`
   */
  async knownOfRegistry(registry: string): Promise<KnownInUse> {
    const { tables } = this.#database;
    const digests = await tables.$queryRaw<{ digest: string; reporter: string }[]>`
      SELECT digest_text(d.digest) AS digest, min(d.reporter) AS reporter FROM in_use_digest d GROUP BY d.digest
      LIMIT ${this.#maxDigests + 1}`;
    if (digests.length > this.#maxDigests) {
      const facts = { code: 'too-much-protected', operation: 'read what is in use' } as const;
      throw new RetentionRefusal(`more than ${this.#maxDigests} digests are said to be in use: nobody can tell what may go`, facts);
    }
    const silent = await tables.$queryRaw<
      RawReporter[]
    >`SELECT ${reporterColumns} FROM in_use_reporter r WHERE ${isSilent} ORDER BY r.name`;
    return {
      digests,
      silent: silent.map(toReporter).filter(({ registries }) => registries.some((pattern) => matchesPattern(pattern, registry))),
    };
  }
}

const reporterColumns = Prisma.sql`r.name, r.kind, r.principal_id AS "principalId", r.registries, r.repositories, r.every_ms AS "everyMs",
  r.since, r.last_report_at AS "lastReportAt", ${isSilent} AS "isSilent",
  (SELECT count(*) FROM in_use_digest d WHERE d.reporter = r.name) AS digests,
  r.retired_at AS "retiredAt", r.retired_by AS "retiredBy", r.retire_reason AS "retireReason"`;

interface RawReporter extends Omit<InUseReporterRow, 'everyMs' | 'digests'> {
  readonly everyMs: bigint;
  readonly digests: bigint;
}

function toReporter(row: RawReporter): InUseReporterRow {
  return { ...row, everyMs: Number(row.everyMs), digests: Number(row.digests) };
}

async function findReporter(tables: Tables, name: string): Promise<InUseReporterRow | undefined> {
  const [row] = await tables.$queryRaw<RawReporter[]>`SELECT ${reporterColumns} FROM in_use_reporter r WHERE r.name = ${name}`;
  return row === undefined ? undefined : toReporter(row);
}

/** Locks the reporter until the end of the transaction: two of its reports come one after the other. */
async function putReporter(tables: Tables, { reporter, kind, by, covers, everyMs }: InUseReport): Promise<void> {
  const registries = JSON.stringify(covers.registries);
  const repositories = JSON.stringify(covers.repositories);
  const put = await tables.$executeRaw`
    INSERT INTO in_use_reporter AS r (name, kind, principal_id, registries, repositories, every_ms)
    VALUES (${reporter}, ${kind}, ${by}::uuid, ${registries}::jsonb, ${repositories}::jsonb, ${everyMs})
    ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, registries = excluded.registries, repositories = excluded.repositories,
      every_ms = excluded.every_ms, last_report_at = now(), retired_at = NULL, retired_by = NULL, retire_reason = NULL
      WHERE r.principal_id = excluded.principal_id`;
  if (put > 0) return;
  throw new RetentionRefusal(`reporter ${reporter} belongs to another principal: report under another name`, {
    code: 'reporter-taken',
    operation: 'report what is in use',
  });
}

async function replaceDigests(tables: Tables, { reporter, digests }: InUseReport): Promise<void> {
  const reported = JSON.stringify(
    digests.map(({ digest, registry = '', repository = '' }) => ({
      hash: Buffer.from(digestToBytes(digest)).toString('hex'),
      registry,
      repository,
    })),
  );
  await tables.$executeRaw`
    INSERT INTO in_use_digest (reporter, digest, registry, repository)
    SELECT DISTINCT ${reporter}, decode(d.hash, 'hex'), d.registry, d.repository
    FROM jsonb_to_recordset(${reported}::jsonb) AS d (hash text, registry text, repository text)
    ON CONFLICT (reporter, digest, registry, repository) DO UPDATE SET last_reported_at = now()`;
  await tables.$executeRaw`DELETE FROM in_use_digest WHERE reporter = ${reporter} AND last_reported_at < now()`;
}
