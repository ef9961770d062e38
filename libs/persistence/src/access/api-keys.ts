import { type Actor, type Grant, type Principal, readApiKey, sameKeyHash } from '@waybill/access';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';
import { type IdempotentRequest, storeAnswer, type StoredAnswer } from './idempotency-keys.js';

export interface ApiKeyRecord {
  readonly id: string;
  readonly principal: Principal;
  readonly grants: readonly Grant[];
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
}

export interface NewApiKey {
  readonly id: string;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly principal: Omit<Principal, 'id'>;
  readonly grants: readonly Grant[];
  readonly expiresAt?: Date;
}

/** API keys and the principals that they belong to. Only hashes of keys are stored. */
export class ApiKeys {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  /** Who presents this text; undefined when it is no key, unknown, revoked or expired by the database's clock. */
  async authenticate(text: string): Promise<Actor | undefined> {
    const presented = readApiKey(text);
    if (presented === undefined) return undefined;
    const [row] = await this.#database.tables.$queryRaw<
      { hash: Uint8Array; grants: Grant[]; principal_id: string; kind: Principal['kind']; issuer: string; subject: string }[]
    >`SELECT k.hash, k.grants, p.id AS principal_id, p.kind, p.issuer, p.subject
      FROM api_key k JOIN principal p ON p.id = k.principal_id
      WHERE k.id = ${presented.id}::uuid AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())`;
    if (row === undefined || !sameKeyHash(row.hash, presented.hash)) return undefined;
    const { principal_id: id, kind, issuer, subject, grants } = row;
    return { principal: { id, kind, issuer, subject }, keyId: presented.id, grants };
  }

  /** Stores a key; a key of the same id is replaced, so that start-up can ensure one. */
  put(key: NewApiKey): Promise<ApiKeyRecord> {
    return this.#database.transaction((tables) => this.#put(tables, key));
  }

  async #put(tables: Tables, key: NewApiKey): Promise<ApiKeyRecord> {
    return storeKey(tables, key, await this.#ensurePrincipal(tables, key.principal));
  }

  /**
   * Stores a new key together with the answer to its request. Undefined, and nothing stored,
   * when the request's claim was taken over meanwhile. `permit` is told what the principal's
   * live keys hold already, while no other is made for it, and throws to refuse.
   */
  async create(
    key: NewApiKey,
    claim: {
      readonly request: IdempotentRequest;
      readonly token: string;
      readonly permit: (held: readonly Grant[]) => void;
      readonly answerOf: (record: ApiKeyRecord) => StoredAnswer;
    },
  ): Promise<StoredAnswer | undefined> {
    return this.#database
      .transaction(async (tables) => {
        const principalId = await this.#ensurePrincipal(tables, key.principal);
        claim.permit(await grantsOfLiveKeys(tables, principalId));
        const answer = claim.answerOf(await storeKey(tables, key, principalId));
        return (await storeAnswer(tables, claim.request, claim.token, answer)) ? answer : rollBack();
      })
      .catch(undefinedWhenRolledBack);
  }

  /** Oldest first: ids sort by the time they were made. At most 1,000. */
  async list({ after, limit = 1_000 }: { readonly after?: string; readonly limit?: number } = {}): Promise<ApiKeyRecord[]> {
    const rows = await this.#database.tables.apiKey.findMany({
      ...(after === undefined ? {} : { where: { id: { gt: after } } }),
      orderBy: { id: 'asc' },
      take: limit,
      include: { principal: true },
    });
    return rows.map(toRecord);
  }

  async get(id: string): Promise<ApiKeyRecord | undefined> {
    const row = await this.#database.tables.apiKey.findUnique({ where: { id }, include: { principal: true } });
    return row === null ? undefined : toRecord(row);
  }

  /** False when there is no such key; revoking twice keeps the first time. */
  async revoke(id: string): Promise<boolean> {
    const count = await this.#database.tables.$executeRaw`
      UPDATE api_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = ${id}::uuid`;
    return count > 0;
  }

  /** Locks the row until the end of the transaction: keys of one principal are stored one after another. */
  async #ensurePrincipal(tables: Tables, { kind, issuer, subject }: Omit<Principal, 'id'>): Promise<string> {
    const [row] = await tables.$queryRaw<{ id: string }[]>`
      INSERT INTO principal (id, kind, issuer, subject) VALUES (${this.#ids.next()}::uuid, ${kind}, ${issuer}, ${subject})
      ON CONFLICT (issuer, subject) DO UPDATE SET kind = principal.kind
      RETURNING id`;
    if (row === undefined) throw new Error('the database stored a principal and returned no row');
    return row.id;
  }
}

async function storeKey(tables: Tables, key: NewApiKey, principalId: string): Promise<ApiKeyRecord> {
  const data = { principalId, hash: key.hash, grants: asJson(key.grants), expiresAt: key.expiresAt ?? null, revokedAt: null };
  const row = await tables.apiKey.upsert({
    where: { id: key.id },
    create: { id: key.id, ...data },
    update: data,
    include: { principal: true },
  });
  return toRecord(row);
}

async function grantsOfLiveKeys(tables: Tables, principalId: string): Promise<Grant[]> {
  const rows = await tables.$queryRaw<{ grants: Grant[] }[]>`
    SELECT grants FROM api_key
    WHERE principal_id = ${principalId}::uuid AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;
  return rows.flatMap(({ grants }) => grants);
}

interface Row {
  readonly id: string;
  readonly grants: unknown;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly principal: { readonly id: string; readonly kind: string; readonly issuer: string; readonly subject: string };
}

function toRecord(row: Row): ApiKeyRecord {
  const { id, kind, issuer, subject } = row.principal;
  return {
    id: row.id,
    principal: { id, kind: kind as Principal['kind'], issuer, subject },
    grants: row.grants as Grant[],
    createdAt: row.createdAt,
    expiresAt: row.expiresAt ?? undefined,
    revokedAt: row.revokedAt ?? undefined,
  };
}

function asJson(grants: readonly Grant[]): object[] {
  return [...grants];
}
