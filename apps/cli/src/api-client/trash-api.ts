import { randomUUID } from 'node:crypto';
import {
  type CreatePurge,
  type CreateRestore,
  Purge,
  PurgedManifests,
  PurgeList,
  Restore,
  RestoredManifests,
  RestoreList,
  TrashList,
} from '@waybill/contracts/http';
import { queryOf } from './query-of.js';
import type { Call } from './waybill-api.js';

const root = '/api/v1/retention';

/** What the API says and does of the trash. Every method rejects as those of WaybillApi. */
export class TrashApi {
  readonly #call: <Answer>(call: Call<Answer>) => Promise<Answer>;

  constructor(call: <Answer>(call: Call<Answer>) => Promise<Answer>) {
    this.#call = call;
  }

  /** The newest. */
  list(query: Parameters<typeof queryOf>[0]): Promise<TrashList> {
    return this.#call({ method: 'GET', path: `${root}/trash?${queryOf(query)}`, answer: TrashList });
  }

  restore(body: CreateRestore): Promise<Restore> {
    return this.#call({ method: 'POST', path: `${root}/restores`, body, idempotencyKey: randomUUID(), answer: Restore });
  }

  /** The newest. */
  restores(limit: number): Promise<RestoreList> {
    return this.#call({ method: 'GET', path: `${root}/restores?${queryOf({ limit: String(limit) })}`, answer: RestoreList });
  }

  restoreOf(id: string): Promise<Restore> {
    return this.#call({ method: 'GET', path: `${root}/restores/${encodeURIComponent(id)}`, answer: Restore });
  }

  manifests(id: string, limit: number): Promise<RestoredManifests> {
    const path = `${root}/restores/${encodeURIComponent(id)}/manifests?${queryOf({ limit: String(limit) })}`;
    return this.#call({ method: 'GET', path, answer: RestoredManifests });
  }

  purge(body: CreatePurge): Promise<Purge> {
    return this.#call({ method: 'POST', path: `${root}/purges`, body, idempotencyKey: randomUUID(), answer: Purge });
  }

  /** The newest. */
  purges(limit: number): Promise<PurgeList> {
    return this.#call({ method: 'GET', path: `${root}/purges?${queryOf({ limit: String(limit) })}`, answer: PurgeList });
  }

  purgeOf(id: string): Promise<Purge> {
    return this.#call({ method: 'GET', path: `${root}/purges/${encodeURIComponent(id)}`, answer: Purge });
  }

  purged(id: string, limit: number): Promise<PurgedManifests> {
    const path = `${root}/purges/${encodeURIComponent(id)}/manifests?${queryOf({ limit: String(limit) })}`;
    return this.#call({ method: 'GET', path, answer: PurgedManifests });
  }
}
