import { randomUUID } from 'node:crypto';
import { type CreateRestore, Restore, RestoredManifests, RestoreList, TrashList } from '@waybill/contracts/http';
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
}
