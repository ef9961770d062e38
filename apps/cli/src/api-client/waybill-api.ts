import { randomUUID } from 'node:crypto';
import {
  AcceptedPromotion,
  ActiveTopology,
  AppliedTopology,
  CreatedKey,
  type CreateKey,
  type CreatePromotion,
  KeyList,
  Problem,
  Promotion,
  PromotionList,
  Provenance,
} from '@waybill/contracts/http';
import type { z } from 'zod';
import { ApiProblem } from './api-problem.js';

export interface WaybillApiOptions {
  /** Origin of the API, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly key: string | undefined;
}

interface Call<Answer> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly answer?: z.ZodType<Answer>;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 30_000;

/** A client of the HTTP API. Every method rejects with ApiProblem. */
export class WaybillApi {
  readonly url: string;
  readonly #key: string | undefined;

  constructor({ url, key }: WaybillApiOptions) {
    this.url = url.replace(/\/$/, '');
    this.#key = key;
  }

  /** The same API with another key. */
  withKey(key: string): WaybillApi {
    return new WaybillApi({ url: this.url, key });
  }

  /** `idempotencyKey` makes a repetition safe; each call gets a new one by default. */
  createPromotion(body: CreatePromotion, idempotencyKey: string = randomUUID()): Promise<AcceptedPromotion> {
    return this.#call({ method: 'POST', path: '/api/v1/promotions', body, idempotencyKey, answer: AcceptedPromotion });
  }

  promotion(id: string, signal?: AbortSignal): Promise<Promotion> {
    return this.#call({ method: 'GET', path: `/api/v1/promotions/${encodeURIComponent(id)}`, answer: Promotion, signal });
  }

  promotions(limit: number): Promise<PromotionList> {
    return this.#call({ method: 'GET', path: `/api/v1/promotions?limit=${limit}`, answer: PromotionList });
  }

  provenance(digest: string): Promise<Provenance> {
    return this.#call({ method: 'GET', path: `/api/v1/artifacts/${encodeURIComponent(digest)}/provenance?limit=200`, answer: Provenance });
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

  createKey(body: CreateKey): Promise<CreatedKey> {
    return this.#call({ method: 'POST', path: '/api/v1/keys', body, idempotencyKey: randomUUID(), answer: CreatedKey });
  }

  keys(): Promise<KeyList> {
    return this.#call({ method: 'GET', path: '/api/v1/keys', answer: KeyList });
  }

  async revokeKey(id: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: `/api/v1/keys/${encodeURIComponent(id)}` });
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

  async #send({ method, path, body, idempotencyKey, signal }: Call<unknown>): Promise<{ readonly status: number; readonly text: string }> {
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
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new ApiProblem(`no answer from ${this.url}: is Waybill running there? (set WAYBILL_API_URL, or start it with "npm start")`, {
        code: 'api-unreachable',
        retryable: true,
        cause,
      });
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
