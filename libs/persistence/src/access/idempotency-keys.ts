import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { Database, Tables } from '../database.js';

/** How long an answer is kept, and how long a claim may be worked on before another may take it over. */
const keptFor = '24 hours';
const claimedFor = '60 seconds';

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface IdempotentRequest {
  readonly principalId: string;
  readonly route: string;
  readonly key: string;
  /** SHA-256 of what was asked. */
  readonly hash: Uint8Array<ArrayBuffer>;
}

export type Claim =
  | { readonly claim: 'ours'; readonly token: string }
  | { readonly claim: 'answered'; readonly answer: StoredAnswer }
  | { readonly claim: 'in-flight' }
  | { readonly claim: 'other-request' };

/** Claims of Idempotency-Keys: one request of a kind is handled once, and repeated answers are the first one. */
export class IdempotencyKeys {
  readonly #database: Database;
  readonly #ids: IdSource;

  constructor(database: Database, ids: IdSource = uuidV7) {
    this.#database = database;
    this.#ids = ids;
  }

  async claim(request: IdempotentRequest): Promise<Claim> {
    const token = this.#ids.next();
    const { principalId, route, key, hash } = request;
    // A claim of a process that died, and an answer past its time, are taken over.
    const claimed = await this.#database.tables.$executeRaw`
      INSERT INTO idempotency_key AS held (principal_id, route, key, request_hash, claim_token, claim_expires_at, claim_order, expires_at)
      VALUES (${principalId}::uuid, ${route}, ${key}, ${hash}, ${token}::uuid, now() + ${claimedFor}::interval,
              nextval('order_of_events'), now() + ${keptFor}::interval)
      ON CONFLICT (principal_id, route, key) DO UPDATE
        SET request_hash = excluded.request_hash, claim_token = excluded.claim_token, claim_expires_at = excluded.claim_expires_at,
            claim_order = excluded.claim_order, status = NULL, headers = NULL, body = NULL, expires_at = excluded.expires_at
        WHERE held.expires_at < now()
           OR (held.status IS NULL AND held.claim_expires_at < now() AND held.request_hash = excluded.request_hash)`;
    return claimed > 0 ? { claim: 'ours', token } : this.#whoseIsIt(request);
  }

  /** Nothing was done for the request: it may be repeated. */
  async release(request: IdempotentRequest, token: string): Promise<void> {
    const { principalId, route, key } = request;
    await this.#database.tables.idempotencyKey.deleteMany({ where: { principalId, route, key, claimToken: token, status: null } });
  }

  /** Removes what is past its time; gives how many. A key that is claimed anew meanwhile stays: the row is looked at again. */
  async purge(): Promise<number> {
    return this.#database.tables.$executeRaw`
      DELETE FROM idempotency_key WHERE (principal_id, route, key) IN
        (SELECT principal_id, route, key FROM idempotency_key WHERE expires_at < now() ORDER BY expires_at LIMIT 1000)
        AND expires_at < now()`;
  }

  async #whoseIsIt({ principalId, route, key, hash }: IdempotentRequest): Promise<Claim> {
    const row = await this.#database.tables.idempotencyKey.findUnique({ where: { principalId_route_key: { principalId, route, key } } });
    if (row === null) return { claim: 'in-flight' };
    if (Buffer.compare(row.requestHash, hash) !== 0) return { claim: 'other-request' };
    if (row.status === null) return { claim: 'in-flight' };
    return { claim: 'answered', answer: { status: row.status, headers: row.headers as Record<string, string>, body: row.body } };
  }
}

/**
 * Keeps the answer, in the transaction that does what it says. False when the claim
 * was taken over meanwhile: then the transaction must not commit.
 */
export async function storeAnswer(tables: Tables, request: IdempotentRequest, token: string, answer: StoredAnswer): Promise<boolean> {
  const { principalId, route, key } = request;
  const { count } = await tables.idempotencyKey.updateMany({
    where: { principalId, route, key, claimToken: token, status: null },
    data: { status: answer.status, headers: answer.headers, body: answer.body as object },
  });
  return count > 0;
}
