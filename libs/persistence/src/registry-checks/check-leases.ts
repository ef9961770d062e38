import type { RegistryReport } from '@waybill/oci-model';
import type { Registry, Topology } from '@waybill/topology';
import { beingCollected, isBeingCollected } from '../collection/being-collected.js';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';
import { storableJson } from './storable-json.js';

/** The right to check one registry for one check, until it expires. */
export interface CheckLease {
  readonly checkId: string;
  readonly registryId: string;
  readonly holder: string;
  /** Raised with every claim: what carries an older one changes nothing. */
  readonly fence: bigint;
}

/** What a worker needs to check a registry. */
export interface RegistryToCheck {
  /** As the revision of the check declares it. */
  readonly registry: Registry;
  /** Where a local registry listens now. */
  readonly address: string | undefined;
  /** Its name means another registry by now. */
  readonly isReplaced: boolean;
  /** The newest check that wrote something says that it could not remove all of it. One that wrote nothing cannot tell. */
  readonly leavesBehind: boolean;
}

/** A registry over which this many workers died is not tried again. */
const maxAttempts = 3;
/** Whoever asked has long gone: what no worker took by then is not found out days later. */
const waitsFor = '1 day';

/** Brings each registry of a check to one worker, and keeps what it found. */
export class CheckLeases {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  /**
   * Claims the registry that waits longest at one of these locations, also one whose worker is silent; undefined when none
   * waits. One that is collected takes no writes, and would be found to be unable to: it waits for the end of that.
   */
  async claimNext(locations: readonly string[] | 'all', holder: string): Promise<CheckLease | undefined> {
    await this.#giveUpHopeless();
    const [row] = await this.#database.tables.$queryRaw<ClaimedRow[]>`
      UPDATE checked_registry c
      SET state = 'leased', attempts = attempts + 1, lease_holder = ${holder}, lease_fence = lease_fence + 1, lease_expires_at = now() + ${this.#lease}
      FROM (
        SELECT check_id, registry_id FROM checked_registry
        WHERE state <> 'finished' AND (state = 'queued' OR lease_expires_at < now()) AND ${at(locations)}
          AND NOT ${beingCollected(Prisma.sql`checked_registry.registry_id`)}
        ORDER BY check_id, registry_id LIMIT 1 FOR UPDATE SKIP LOCKED
      ) next
      WHERE c.check_id = next.check_id AND c.registry_id = next.registry_id
      RETURNING c.check_id, c.registry_id, c.lease_fence`;
    if (row === undefined) return undefined;
    const lease = { checkId: row.check_id, registryId: row.registry_id, holder, fence: row.lease_fence };
    // One that began in the same moment has either seen this lease, or is seen now.
    if (!(await isBeingCollected(this.#database.tables, row.registry_id))) return lease;
    await this.release(lease);
    return undefined;
  }

  async load({ checkId, registryId }: CheckLease): Promise<RegistryToCheck | undefined> {
    const [row] = await this.#database.tables.$queryRaw<LoadedRow[]>`
      SELECT r.name, r.address, r.replaced_at IS NOT NULL AS is_replaced, t.document,
        (SELECT n.report ? 'leftBehind' FROM checked_registry n
         WHERE n.registry_id = r.id AND n.report IS NOT NULL AND jsonb_path_exists(n.report, '$.probes[*] ? (@.probe == "cleanUp")')
         ORDER BY n.finished_at DESC LIMIT 1) AS leaves_behind
      FROM registry_check c JOIN topology_revision t ON t.number = c.revision CROSS JOIN registry r
      WHERE c.id = ${checkId}::uuid AND r.id = ${registryId}::uuid`;
    const registry = row?.document.registries[row.name];
    if (row === undefined || registry === undefined) return undefined;
    const { address, is_replaced: isReplaced, leaves_behind: leavesBehind } = row;
    return { registry, address: address ?? undefined, isReplaced, leavesBehind: leavesBehind ?? false };
  }

  /** False when the lease is lost. */
  async renew(lease: CheckLease): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE checked_registry SET lease_expires_at = now() + ${this.#lease} WHERE ${held(lease)}`;
    return count > 0;
  }

  /** Gives the lease up with the check undone, which is no attempt: another worker gets it at once. */
  async release(lease: CheckLease): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE checked_registry SET state = 'queued', lease_expires_at = NULL, attempts = attempts - 1 WHERE ${held(lease)}`;
  }

  /** Keeps what was found; false, and nothing kept, when the lease is lost. */
  async finish(lease: CheckLease, found: { readonly report: RegistryReport } | { readonly error: StoredError }): Promise<boolean> {
    const report = 'report' in found ? storableJson(found.report) : null;
    const error = 'error' in found ? storableJson(found.error) : null;
    const count = await this.#database.tables.$executeRaw`
      UPDATE checked_registry
      SET state = 'finished', finished_at = now(), lease_expires_at = NULL, report = ${report}::jsonb, error = ${error}::jsonb
      WHERE ${held(lease)}`;
    return count > 0;
  }

  /** Also those of other locations, where there may be no worker to do it. */
  async #giveUpHopeless(): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE checked_registry SET state = 'finished', finished_at = now(), lease_expires_at = NULL,
        error = CASE state WHEN 'queued' THEN ${nobodyCame}::jsonb ELSE ${workersDied}::jsonb END
      WHERE (state = 'leased' AND lease_expires_at < now() AND attempts >= ${maxAttempts})
        OR (state = 'queued' AND check_id IN (SELECT id FROM registry_check WHERE requested_at < now() - ${waitsFor}::interval))`;
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

interface ClaimedRow {
  readonly check_id: string;
  readonly registry_id: string;
  readonly lease_fence: bigint;
}

interface LoadedRow {
  readonly name: string;
  readonly address: string | null;
  readonly is_replaced: boolean;
  readonly document: Topology;
  /** Null without a report. */
  readonly leaves_behind: boolean | null;
}

const workersDied = storableJson({
  code: 'attempts-exhausted',
  message: `${maxAttempts} workers died while they checked this registry: look at their logs`,
  operation: 'check registry',
  retryable: true,
} satisfies StoredError);

const nobodyCame = storableJson({
  code: 'no-worker',
  message: `no worker looked at this registry within ${waitsFor}: start one that serves its location, and check again`,
  operation: 'check registry',
  retryable: true,
} satisfies StoredError);

function at(locations: readonly string[] | 'all'): Prisma.Sql {
  return locations === 'all' ? Prisma.sql`true` : Prisma.sql`location = ANY(${[...locations]}::text[])`;
}

function held({ checkId, registryId, fence }: CheckLease): Prisma.Sql {
  return Prisma.sql`check_id = ${checkId}::uuid AND registry_id = ${registryId}::uuid
    AND lease_fence = ${fence} AND state = 'leased' AND lease_expires_at > now()`;
}
