import { randomUUID } from 'node:crypto';
import {
  AcceptedPromotion,
  AcceptedRegistryCheck,
  ActiveTopology,
  AppliedTopology,
  type CancelPromotion,
  Artifact,
  Collection,
  CollectionList,
  type CreateCollection,
  CreatedKey,
  type CreateKey,
  type CreatePause,
  type CreatePromotion,
  KeyList,
  type KeyView,
  type ListPromotions,
  Pause,
  PauseList,
  Problem,
  Promotion,
  PromotionEstimate,
  PromotionList,
  Provenance,
  RegistryCheck,
  type ResumePause,
  type RetryPromotion,
  RegistryList,
  ResolvedArtifact,
} from '@waybill/contracts/http';
import type { z } from 'zod';
import { systemCodeOf } from '../system-error.js';
import { ApiProblem } from './api-problem.js';
import { InventoryApi } from './inventory-api.js';
import { queryOf } from './query-of.js';
import { type ApiEvent, readEvents } from './read-events.js';
import { RetentionApi } from './retention-api.js';
import { TrashApi } from './trash-api.js';

export interface WaybillApiOptions {
  /** Origin of the API, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly key: string | undefined;
  /** Ends every call. */
  readonly signal?: AbortSignal | undefined;
}

/** One request, and what its answer is read as. */
export interface Call<Answer> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly answer?: z.ZodType<Answer>;
}

/** How a stream is followed. */
export interface Following {
  /** The last event that was received. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What promotions of a list have in common, as the API's query names it; it says what is wrong with a word. */
export type PromotionFilter = { readonly [Key in keyof Omit<ListPromotions, 'limit' | 'cursor'>]?: string };

const timeoutMs = 30_000;
/** A stream says something every 15 seconds. */
const silenceMs = 45_000;
const pageSize = 200;
/** Of a page of places each is looked at live, within one deadline. */
const placesPerPage = 50;

/** A client of the HTTP API. Every method rejects with ApiProblem, or with the signal's reason. */
export class WaybillApi {
  readonly url: string;
  readonly #key: string | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor({ url, key, signal }: WaybillApiOptions) {
    this.url = url.replace(/\/+$/, '');
    this.#key = key;
    this.#signal = signal;
  }

  /** The same API with another key. */
  withKey(key: string): WaybillApi {
    return new WaybillApi({ url: this.url, key, signal: this.#signal });
  }

  /** The same API for calls that the end of the command does not end. */
  afterwards(): WaybillApi {
    return new WaybillApi({ url: this.url, key: this.#key });
  }

  /** What registries hold, as it was seen last. */
  get inventory(): InventoryApi {
    return new InventoryApi((call) => this.#call(call));
  }

  /** What registries keep. */
  get retention(): RetentionApi {
    return new RetentionApi((call) => this.#call(call));
  }

  /** What was deleted. */
  get trash(): TrashApi {
    return new TrashApi((call) => this.#call(call));
  }

  /** `idempotencyKey` makes a repetition safe; each call gets a new one by default. */
  createPromotion(body: CreatePromotion, idempotencyKey: string = randomUUID()): Promise<AcceptedPromotion> {
    return this.#call({ method: 'POST', path: '/api/v1/promotions', body, idempotencyKey, answer: AcceptedPromotion });
  }

  /** What such a request would do, cost and meet; nothing is written. */
  estimatePromotion(body: CreatePromotion): Promise<PromotionEstimate> {
    return this.#call({ method: 'POST', path: '/api/v1/promotions/estimate', body, answer: PromotionEstimate });
  }

  promotion(id: string): Promise<Promotion> {
    return this.#call({ method: 'GET', path: `/api/v1/promotions/${encodeURIComponent(id)}`, answer: Promotion });
  }

  /** What happens to a promotion, until nothing of it is left to do or the stream is cut. */
  promotionEvents(id: string, following: Following): AsyncGenerator<ApiEvent> {
    return this.#events(`/api/v1/promotions/${encodeURIComponent(id)}/events`, following);
  }

  /** What happens to all promotions that the key may read, until the stream is cut. */
  events(following: Following): AsyncGenerator<ApiEvent> {
    return this.#events('/api/v1/events', following);
  }

  /** Said twice it is the same. */
  cancelPromotion(id: string, body: CancelPromotion): Promise<Promotion> {
    return this.#call({ method: 'POST', path: `/api/v1/promotions/${encodeURIComponent(id)}/cancel`, body, answer: Promotion });
  }

  retryPromotion(id: string, body: RetryPromotion, idempotencyKey: string): Promise<Promotion> {
    return this.#call({
      method: 'POST',
      path: `/api/v1/promotions/${encodeURIComponent(id)}/retry`,
      body,
      idempotencyKey,
      answer: Promotion,
    });
  }

  createPause(body: CreatePause, idempotencyKey: string): Promise<Pause> {
    return this.#call({ method: 'POST', path: '/api/v1/pauses', body, idempotencyKey, answer: Pause });
  }

  /** Said twice it is the same. */
  resumePause(id: string, body: ResumePause): Promise<Pause> {
    return this.#call({ method: 'POST', path: `/api/v1/pauses/${encodeURIComponent(id)}/resume`, body, answer: Pause });
  }

  /** The newest. */
  pauses(limit: number, state: 'open' | 'all'): Promise<PauseList> {
    return this.#call({ method: 'GET', path: `/api/v1/pauses?${queryOf({ state, limit: String(limit) })}`, answer: PauseList });
  }

  /** Every pause that holds, page by page. */
  async *openPauses(): AsyncGenerator<Pause> {
    for await (const { pauses } of this.#pages('/api/v1/pauses', PauseList)) yield* pauses;
  }

  /** Where a promotion is found by any client of HTTP. */
  addressOfPromotion(id: string): string {
    return `${this.url}/api/v1/promotions/${encodeURIComponent(id)}`;
  }

  /** The newest that the filter means, `limit` of them if there are as many; pages that are short are followed. */
  async promotions(limit: number, filter: PromotionFilter = {}): Promise<PromotionList> {
    const promotions: PromotionList['promotions'] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#call({
        method: 'GET',
        path: `/api/v1/promotions?${queryOf({ ...filter, limit: String(limit - promotions.length), cursor })}`,
        answer: PromotionList,
      });
      promotions.push(...page.promotions);
      cursor = page.next;
    } while (cursor !== undefined && promotions.length < limit);
    return { promotions, ...(cursor === undefined ? {} : { next: cursor }) };
  }

  /** The whole record of a digest, page by page. */
  async *provenance(digest: string): AsyncGenerator<Provenance['entries'][number]> {
    const path = `/api/v1/artifacts/${encodeURIComponent(digest)}/provenance`;
    for await (const { entries } of this.#pages(path, Provenance)) yield* entries;
  }

  /** Where a digest is, and in `repository` of every registry too if one is named; page by page, at least one. */
  artifact(digest: string, repository?: string): AsyncGenerator<Artifact> {
    return this.#pages(`/api/v1/artifacts/${encodeURIComponent(digest)}`, Artifact, { repository, limit: String(placesPerPage) });
  }

  /** What `registry/repository:tag` names now. */
  resolveArtifact(reference: string): Promise<ResolvedArtifact> {
    return this.#call({ method: 'GET', path: `/api/v1/artifacts?${queryOf({ reference })}`, answer: ResolvedArtifact });
  }

  registries(): Promise<RegistryList> {
    return this.#call({ method: 'GET', path: '/api/v1/registries', answer: RegistryList });
  }

  topology(): Promise<ActiveTopology> {
    return this.#call({ method: 'GET', path: '/api/v1/topology', answer: ActiveTopology });
  }

  applyTopology(source: string, file: string): Promise<AppliedTopology> {
    return this.#call({ method: 'PUT', path: '/api/v1/topology', body: { source, file }, answer: AppliedTopology });
  }

  async locateRegistry(name: string, address: string): Promise<void> {
    await this.#call({ method: 'PUT', path: `/api/v1/registries/${encodeURIComponent(name)}/address`, body: { address } });
  }

  /** Of all registries when none is named. */
  checkRegistries(names: readonly string[]): Promise<AcceptedRegistryCheck> {
    const body = names.length === 0 ? {} : { registries: [...names] };
    return this.#call({
      method: 'POST',
      path: '/api/v1/registry-checks',
      body,
      idempotencyKey: randomUUID(),
      answer: AcceptedRegistryCheck,
    });
  }

  registryCheck(id: string): Promise<RegistryCheck> {
    return this.#call({ method: 'GET', path: `/api/v1/registry-checks/${encodeURIComponent(id)}`, answer: RegistryCheck });
  }

  collectRegistry(name: string, body: CreateCollection): Promise<Collection> {
    const path = `/api/v1/registries/${encodeURIComponent(name)}/collections`;
    return this.#call({ method: 'POST', path, body, idempotencyKey: randomUUID(), answer: Collection });
  }

  collection(name: string, id: string): Promise<Collection> {
    const path = `/api/v1/registries/${encodeURIComponent(name)}/collections/${encodeURIComponent(id)}`;
    return this.#call({ method: 'GET', path, answer: Collection });
  }

  /** The newest of a registry. */
  collections(name: string, limit: number): Promise<CollectionList> {
    const path = `/api/v1/registries/${encodeURIComponent(name)}/collections?${queryOf({ limit: String(limit) })}`;
    return this.#call({ method: 'GET', path, answer: CollectionList });
  }

  createKey(body: CreateKey): Promise<CreatedKey> {
    return this.#call({ method: 'POST', path: '/api/v1/keys', body, idempotencyKey: randomUUID(), answer: CreatedKey });
  }

  /** Every key, revoked and expired ones included, page by page. */
  async *keys(): AsyncGenerator<KeyView> {
    for await (const { keys } of this.#pages('/api/v1/keys', KeyList)) yield* keys;
  }

  async revokeKey(id: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: `/api/v1/keys/${encodeURIComponent(id)}` });
  }

  async *#pages<Page extends { readonly next?: string | undefined }>(
    path: string,
    answer: z.ZodType<Page>,
    query: Readonly<Record<string, string | undefined>> = {},
  ): AsyncGenerator<Page> {
    let cursor: string | undefined;
    do {
      const page = await this.#call({ method: 'GET', path: `${path}?${queryOf({ limit: String(pageSize), ...query, cursor })}`, answer });
      yield page;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** @throws ApiProblem that is retryable when the stream was cut or the API is away, and not when no stream comes through */
  async *#events(path: string, { after, signal }: Following): AsyncGenerator<ApiEvent> {
    const silence = new AbortController();
    const watch = setTimeout(() => silence.abort(), silenceMs);
    const signals = [silence.signal, signal, this.#signal].filter((one) => one !== undefined);
    let hasBegun = false;
    try {
      const response = await fetch(`${this.url}${path}`, { headers: this.#streamHeaders(after), signal: AbortSignal.any(signals) });
      if (!response.ok) throw ApiProblem.from(response.status, Problem.safeParse(parseJson(await response.text())).data);
      if (response.body === null || !isEventStream(response)) {
        throw new ApiProblem(`${this.url} gave no stream`, { code: 'answer-invalid' });
      }
      for await (const event of readEvents({ body: response.body, onSign: () => watch.refresh() })) {
        hasBegun = true;
        yield event;
      }
    } catch (cause) {
      for (const one of [signal, this.#signal]) one?.throwIfAborted();
      if (cause instanceof ApiProblem) throw cause;
      // One that is held back by a proxy says nothing from the start.
      const retryable = hasBegun || !silence.signal.aborted;
      throw new ApiProblem(`the stream from ${this.url} was cut`, { code: 'api-unreachable', retryable, cause });
    } finally {
      clearTimeout(watch);
    }
  }

  #streamHeaders(after: string | undefined): Record<string, string> {
    return {
      accept: 'text/event-stream',
      ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
      ...(after === undefined ? {} : { 'last-event-id': after }),
    };
  }

  async #call<Answer>(call: Call<Answer>): Promise<Answer> {
    const { text, status } = await this.#send(call);
    const body = parseJson(text);
    if (status < 200 || status > 299) throw ApiProblem.from(status, Problem.safeParse(body).data);
    if (call.answer === undefined) return undefined as Answer;
    const parsed = call.answer.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ApiProblem(`${this.url} gave an answer that this version of waybill does not understand`, {
      code: 'answer-invalid',
      cause: parsed.error,
    });
  }

  async #send({ method, path, body, idempotencyKey }: Call<unknown>): Promise<{ readonly status: number; readonly text: string }> {
    const headers = {
      accept: 'application/json',
      ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: this.#signal === undefined ? timeout : AbortSignal.any([this.#signal, timeout]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      this.#signal?.throwIfAborted();
      const silence = timeout.aborted ? ` within ${timeoutMs / 1000} s` : '';
      const why = isTlsFailure(cause)
        ? 'it does not speak TLS as asked: check http or https in WAYBILL_API_URL, and the certificate'
        : 'is Waybill running there? (set WAYBILL_API_URL, or start it with "npm start")';
      throw new ApiProblem(`no answer from ${this.url}${silence}: ${why}`, { code: 'api-unreachable', retryable: true, cause });
    }
  }
}

/** By the codes of Node and OpenSSL, which `fetch` hands on as the cause of its own error. */
function isTlsFailure(error: unknown): boolean {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return /SSL|TLS|CERT/.test(systemCodeOf(cause) ?? '');
}

function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') === true;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
