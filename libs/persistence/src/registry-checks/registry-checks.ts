import type { RegistryCapabilities, RegistryReport } from '@waybill/oci-model';
import { PromotionError } from '@waybill/promotion';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { type Prisma } from '../generated/client.js';
import { notify } from '../notify.js';
import type { StoredError } from '../run/stored-error.js';

/** A check as it is asked for. */
export interface NewRegistryCheck {
  readonly id: string;
  readonly revision: number;
  readonly requestedBy: string;
  /** Registries of the revision, and where a worker is to look from. */
  readonly registries: readonly { readonly name: string; readonly location: string }[];
}

/** One registry of a check, as far as it has come. */
export interface CheckedRegistryRow {
  readonly name: string;
  readonly location: string;
  readonly state: 'queued' | 'leased' | 'finished';
  readonly report: RegistryReport | undefined;
  readonly error: StoredError | undefined;
  readonly finishedAt: Date | undefined;
}

export interface RegistryCheckRow {
  readonly id: string;
  readonly revision: number;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  /** By name. */
  readonly registries: readonly CheckedRegistryRow[];
}

/** The newest report of a registry. */
export interface NewestReport {
  readonly checkId: string;
  readonly report: RegistryReport;
  /** Recent enough to act on. */
  readonly isFresh: boolean;
}

/** Registries change: what a check found longer ago is shown, and no longer acted on. */
const freshFor = '7 days';

/** Checks of registries, and what they found. */
export class RegistryChecks {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * One transaction: the check, its registries, and the answer to the request. False, and
   * nothing done, when the request's claim was taken over meanwhile.
   * @throws PromotionError `topology-changed` when a registry means something else by now than in the revision
   */
  async create(
    check: NewRegistryCheck,
    request: { readonly request: IdempotentRequest; readonly token: string; readonly answer: StoredAnswer },
  ): Promise<boolean> {
    const created = await this.#database
      .transaction(async (tables) => {
        if (!(await storeAnswer(tables, request.request, request.token, request.answer))) rollBack();
        await insert(tables, check);
        return true;
      })
      .catch(undefinedWhenRolledBack);
    return created ?? false;
  }

  async get(id: string): Promise<RegistryCheckRow | undefined> {
    const row = await this.#database.tables.registryCheck.findUnique({
      where: { id },
      include: { registries: { include: { registry: { select: { name: true } } }, orderBy: { registry: { name: 'asc' } } } },
    });
    if (row === null) return undefined;
    const { revision, requestedBy, requestedAt, registries } = row;
    return { id, revision: Number(revision), requestedBy, requestedAt, registries: registries.map(toChecked) };
  }

  /** The newest report of every registry that the active topology's names mean now, by name. */
  async newest(): Promise<ReadonlyMap<string, NewestReport>> {
    const rows = await this.#database.tables.$queryRaw<NewestRow[]>`
      SELECT r.name, n.check_id, n.report, n.finished_at > now() - ${freshFor}::interval AS is_fresh
      FROM registry r CROSS JOIN LATERAL (
        SELECT check_id, report, finished_at FROM checked_registry c
        WHERE c.registry_id = r.id AND c.report IS NOT NULL ORDER BY finished_at DESC LIMIT 1
      ) n
      WHERE r.replaced_at IS NULL`;
    return new Map(rows.map(({ name, check_id: checkId, report, is_fresh: isFresh }) => [name, { checkId, report, isFresh }]));
  }

  /** What is known of the registries' capabilities, by name, and recent enough to act on. */
  async knownCapabilities(): Promise<ReadonlyMap<string, RegistryCapabilities>> {
    const rows = await this.#database.tables.$queryRaw<{ name: string; capabilities: RegistryCapabilities }[]>`
      SELECT r.name, n.capabilities
      FROM registry r CROSS JOIN LATERAL (
        SELECT report -> 'capabilities' AS capabilities, finished_at FROM checked_registry c
        WHERE c.registry_id = r.id AND c.report IS NOT NULL ORDER BY finished_at DESC LIMIT 1
      ) n
      WHERE r.replaced_at IS NULL AND n.finished_at > now() - ${freshFor}::interval`;
    return new Map(rows.map(({ name, capabilities }) => [name, capabilities]));
  }
}

interface NewestRow {
  readonly name: string;
  readonly check_id: string;
  readonly report: RegistryReport;
  readonly is_fresh: boolean;
}

async function insert(tables: Tables, { id, revision, requestedBy, registries }: NewRegistryCheck): Promise<void> {
  await tables.registryCheck.create({ data: { id, revision: BigInt(revision), requestedBy } });
  const inserted = await tables.$executeRaw`
    INSERT INTO checked_registry (check_id, registry_id, location, state)
    SELECT ${id}::uuid, r.id, wanted.location, 'queued'
    FROM jsonb_to_recordset(${JSON.stringify(registries)}::jsonb) AS wanted (name text, location text)
      JOIN registry r ON r.name = wanted.name AND r.replaced_at IS NULL AND r.first_revision <= ${revision}`;
  if (inserted < registries.length) throw topologyChanged(revision);
  await notify(tables, 'registryCheck');
}

/** A check without one of its registries would finish as if that were fine. */
function topologyChanged(revision: number): PromotionError {
  return new PromotionError('a registry was replaced or removed while the check was recorded: repeat the request', {
    code: 'topology-changed',
    operation: 'check registries',
    retryable: true,
    details: { revision },
  });
}

type Row = Prisma.CheckedRegistryGetPayload<{ include: { registry: { select: { name: true } } } }>;

/** Reports and errors were ours when they were stored. */
function toChecked({ registry, location, state, report, error, finishedAt }: Row): CheckedRegistryRow {
  return {
    name: registry.name,
    location,
    state: state as CheckedRegistryRow['state'],
    report: (report ?? undefined) as RegistryReport | undefined,
    error: (error ?? undefined) as StoredError | undefined,
    finishedAt: finishedAt ?? undefined,
  };
}
