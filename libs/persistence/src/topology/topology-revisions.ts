import { createHash } from 'node:crypto';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import { canonicalTopology, type Registry, storedTopology, type Topology } from '@waybill/topology';
import type { Database, Tables } from '../database.js';
import { notify } from '../notify.js';
import { declarePolicies } from '../retention/declare-policies.js';

export interface TopologyRevision {
  readonly number: number;
  readonly topology: Topology;
  /** The file's text as it was applied. */
  readonly source: string;
  /** SHA-256 of the canonical topology, hexadecimal. */
  readonly hash: string;
  readonly appliedBy: string;
  readonly appliedAt: Date;
}

/** A registry as the database knows it: its identity, and where a local one listens. */
export interface RegistryRecord {
  readonly id: string;
  readonly name: string;
  /** Run-time address of a local registry. */
  readonly address: string | undefined;
}

/** Revisions never change, so as many of them are remembered. */
const maxRemembered = 4;

/** Serialises applying. */
const applyLock = 7_270_001;

/** Revisions of the topology, and the registries that they declare. */
export class TopologyRevisions {
  readonly #database: Database;
  readonly #ids: IdSource;
  readonly #remembered = new Map<number, TopologyRevision>();

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  /**
   * Makes `topology` the active revision, in one transaction. Saying again what the active
   * revision says already makes no new one. A registry whose origin or prefix changed under
   * its name is a replacement: it gets a new identity.
   */
  async apply(topology: Topology, source: string, appliedBy: string): Promise<{ revision: TopologyRevision; changed: boolean }> {
    const hash = createHash('sha256').update(canonicalTopology(topology)).digest();
    return this.#database.transaction(async (tables) => {
      await tables.$executeRaw`SELECT pg_advisory_xact_lock(${applyLock}::bigint)`;
      const active = await newestRevision(tables);
      if (active?.hash === hash.toString('hex')) return { revision: active, changed: false };
      const row = await tables.topologyRevision.create({
        data: {
          number: BigInt((active?.number ?? 0) + 1),
          name: topology.name,
          document: asJson(topology),
          source,
          hash: new Uint8Array(hash),
          appliedBy,
        },
      });
      await this.#declareRegistries(tables, row.number, Object.values(topology.registries));
      await declarePolicies(tables, row.number, topology.retention);
      await notify(tables, 'topology');
      return { revision: toRevision(row), changed: true };
    });
  }

  /** The active revision; undefined before the first apply. */
  async active(): Promise<TopologyRevision | undefined> {
    const newest = await this.#database.tables.topologyRevision.findFirst({ orderBy: { number: 'desc' }, select: { number: true } });
    return newest === null ? undefined : this.byNumber(Number(newest.number));
  }

  async byNumber(number: number): Promise<TopologyRevision | undefined> {
    const known = this.#remembered.get(number);
    if (known !== undefined) return known;
    const row = await this.#database.tables.topologyRevision.findUnique({ where: { number: BigInt(number) } });
    return row === null ? undefined : this.#remember(toRevision(row));
  }

  /** Registries that the active revision's names mean now. */
  async currentRegistries(): Promise<RegistryRecord[]> {
    const rows = await this.#database.tables.registry.findMany({ where: { replacedAt: null }, orderBy: { name: 'asc' } });
    return rows.map(({ id, name, address }) => ({ id, name, address: address ?? undefined }));
  }

  /** Notes where a local registry listens; false when no current registry of that name is local. */
  async locate(name: string, address: string): Promise<boolean> {
    return this.#database.transaction(async (tables) => {
      const { count } = await tables.registry.updateMany({ where: { name, replacedAt: null, identity: localIdentity }, data: { address } });
      if (count > 0) await notify(tables, 'topology');
      return count > 0;
    });
  }

  #remember(revision: TopologyRevision): TopologyRevision {
    this.#remembered.set(revision.number, revision);
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size > maxRemembered) this.#remembered.delete(oldest);
    return revision;
  }

  async #declareRegistries(tables: Tables, revision: bigint, registries: readonly Registry[]): Promise<void> {
    const current = await tables.registry.findMany({ where: { replacedAt: null } });
    const rowOf = new Map(current.map((row) => [row.name, row]));
    const kept = registries.flatMap((registry) => {
      const row = rowOf.get(registry.name);
      return row?.identity === identityOf(registry) ? [{ registry, row }] : [];
    });
    const keptIds = new Set(kept.map(({ row }) => row.id));
    const gone = current.flatMap(({ id }) => (keptIds.has(id) ? [] : [id]));
    if (gone.length > 0) await tables.$executeRaw`UPDATE registry SET replaced_at = now() WHERE id = ANY(${gone}::uuid[])`;
    for (const { registry, row } of kept) {
      if (row.role !== registry.role) await tables.registry.update({ where: { id: row.id }, data: { role: registry.role } });
    }
    const keptNames = new Set(kept.map(({ row }) => row.name));
    for (const registry of registries.filter(({ name }) => !keptNames.has(name))) {
      if (await takeBack(tables, registry)) continue;
      const { name, role } = registry;
      await tables.registry.create({ data: { id: this.#ids.next(), name, role, identity: identityOf(registry), firstRevision: revision } });
    }
  }
}

/**
 * A registry that a revision left out is the same one when it comes back as it was, and nothing stood in its place.
 * Nobody knows what was pushed or deleted there meanwhile, so that what full crawls saw before counts no more, nor where a local one
 * listens now.
 */
async function takeBack(tables: Tables, registry: Registry): Promise<boolean> {
  const [taken] = await tables.$queryRaw<{ id: string }[]>`
    UPDATE registry SET replaced_at = NULL, address = NULL, epoch = epoch + 1, role = ${registry.role}
    WHERE identity = ${identityOf(registry)}
      AND id = (SELECT id FROM registry WHERE name = ${registry.name} ORDER BY first_revision DESC LIMIT 1)
    RETURNING id`;
  if (taken === undefined) return false;
  await tables.$executeRaw`UPDATE repository SET last_full_crawl_started_at = NULL WHERE registry_id = ${taken.id}::uuid`;
  return true;
}

const localIdentity = 'local';

function identityOf(registry: Registry): string {
  if (registry.url === undefined) return localIdentity;
  return registry.prefix === undefined ? registry.url : `${registry.url}/${registry.prefix}`;
}

async function newestRevision(tables: Tables): Promise<TopologyRevision | undefined> {
  const row = await tables.topologyRevision.findFirst({ orderBy: { number: 'desc' } });
  return row === null ? undefined : toRevision(row);
}

type Row = NonNullable<Awaited<ReturnType<Tables['topologyRevision']['findFirst']>>>;

function toRevision(row: Row): TopologyRevision {
  return {
    number: Number(row.number),
    topology: storedTopology(row.document),
    source: row.source,
    hash: Buffer.from(row.hash).toString('hex'),
    appliedBy: row.appliedBy,
    appliedAt: row.appliedAt,
  };
}

function asJson(topology: Topology): object {
  return topology;
}
