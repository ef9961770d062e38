import type { RegistryReport } from '@waybill/oci-model';
import type { Registry, Topology } from '@waybill/topology';
import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import type { StoredError } from '../run/stored-error.js';
import { storableJson } from './storable-json.js';
import type { CheckMessage } from './check-outbox.js';

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
  /** The newest report says that it deletes nothing. */
  readonly keepsEverything: boolean;
}

/** Claims registries that are to be checked, and keeps what was found. */
export class CheckLeases {
  readonly #database: Database;
  readonly #leaseMs: number;

  constructor(database: Database, options: { readonly leaseMs: number }) {
    this.#database = database;
    this.#leaseMs = options.leaseMs;
  }

  /** Undefined when the message's number is not the current one, another worker holds the lease, or the check is over. */
  async claim({ checkId, registryId, dispatch }: CheckMessage, holder: string): Promise<CheckLease | undefined> {
    const [row] = await this.#database.tables.$queryRaw<{ fence: bigint }[]>`
      UPDATE checked_registry
      SET state = 'leased', attempts = attempts + 1, lease_holder = ${holder}, lease_fence = lease_fence + 1,
          lease_expires_at = now() + ${this.#lease}, due_at = now() + ${this.#lease}
      WHERE check_id = ${checkId}::uuid AND registry_id = ${registryId}::uuid AND dispatch = ${dispatch}
        AND (state = 'queued' OR (state = 'leased' AND lease_expires_at < now()))
      RETURNING lease_fence AS fence`;
    return row === undefined ? undefined : { checkId, registryId, holder, fence: row.fence };
  }

  async load({ checkId, registryId }: CheckLease): Promise<RegistryToCheck | undefined> {
    const [row] = await this.#database.tables.$queryRaw<LoadedRow[]>`
      SELECT r.name, r.address, r.replaced_at IS NOT NULL AS is_replaced, t.document,
        (SELECT n.report -> 'capabilities' -> 'manifestDelete' = 'false'::jsonb FROM checked_registry n
         WHERE n.registry_id = r.id AND n.report IS NOT NULL ORDER BY n.finished_at DESC LIMIT 1) AS keeps_everything
      FROM registry_check c JOIN topology_revision t ON t.number = c.revision CROSS JOIN registry r
      WHERE c.id = ${checkId}::uuid AND r.id = ${registryId}::uuid`;
    const registry = row?.document.registries[row.name];
    if (row === undefined || registry === undefined) return undefined;
    const { address, is_replaced: isReplaced, keeps_everything: keepsEverything } = row;
    return { registry, address: address ?? undefined, isReplaced, keepsEverything: keepsEverything ?? false };
  }

  /** False when the lease is lost. */
  async renew(lease: CheckLease): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE checked_registry SET lease_expires_at = now() + ${this.#lease}, due_at = now() + ${this.#lease} WHERE ${held(lease)}`;
    return count > 0;
  }

  /** Gives the lease up with the check undone, which is no attempt: another worker gets it at once. */
  async release(lease: CheckLease): Promise<void> {
    await this.#database.tables.$executeRaw`
      UPDATE checked_registry SET state = 'queued', lease_expires_at = NULL, due_at = now(), attempts = attempts - 1 WHERE ${held(lease)}`;
  }

  /** Keeps what was found; false, and nothing kept, when the lease is lost. */
  async finish(lease: CheckLease, found: { readonly report: RegistryReport } | { readonly error: StoredError }): Promise<boolean> {
    const report = 'report' in found ? storableJson(found.report) : null;
    const error = 'error' in found ? storableJson(found.error) : null;
    const count = await this.#database.tables.$executeRaw`
      UPDATE checked_registry
      SET state = 'finished', finished_at = now(), due_at = NULL, lease_expires_at = NULL, report = ${report}::jsonb, error = ${error}::jsonb
      WHERE ${held(lease)}`;
    return count > 0;
  }

  get #lease(): Prisma.Sql {
    return Prisma.sql`${this.#leaseMs} * interval '1 millisecond'`;
  }
}

interface LoadedRow {
  readonly name: string;
  readonly address: string | null;
  readonly is_replaced: boolean;
  readonly document: Topology;
  /** Null without a report. */
  readonly keeps_everything: boolean | null;
}

function held({ checkId, registryId, fence }: CheckLease): Prisma.Sql {
  return Prisma.sql`check_id = ${checkId}::uuid AND registry_id = ${registryId}::uuid
    AND lease_fence = ${fence} AND state = 'leased' AND lease_expires_at > now()`;
}
