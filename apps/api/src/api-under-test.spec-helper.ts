import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { everything, type Grant, issueApiKey } from '@waybill/access';
import { type ApiConfig, loadApiConfig } from '@waybill/config';
import type { Problem } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { createLogger } from '@waybill/observability';
import { ApiKeys } from '@waybill/persistence';
import { createMigratedDatabase } from '@waybill/testing';
import { createApi } from './create-api.js';

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when there is none. */
  readonly body: unknown;
}

export interface Sending {
  /** No Authorization header when null; the administrator's key when absent. */
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiUnderTest {
  readonly app: NestExpressApplication;
  readonly url: string;
  readonly adminKey: string;
  /** Every line logged so far. */
  readonly log: readonly string[];
  send(method: string, path: string, sending?: Sending): Promise<Answer>;
  /** A POST with an Idempotency-Key of its own, unless headers name one. */
  post(path: string, body: unknown, sending?: Omit<Sending, 'body'>): Promise<Answer>;
  /** A key of a principal of its own. */
  keyWith(grants: readonly Grant[], facts?: { readonly subject?: string; readonly expiresAt?: Date }): Promise<string>;
  stop(): Promise<void>;
}

export interface StartApiOptions {
  readonly config?: Partial<ApiConfig>;
  /** A database of its own when absent, which ends with the API. */
  readonly databaseUrl?: string;
}

/** The real API on a real, migrated database, listening on loopback. */
export async function startApi({ config = {}, databaseUrl }: StartApiOptions = {}): Promise<ApiUnderTest> {
  const database = databaseUrl === undefined ? await createMigratedDatabase() : undefined;
  const log: string[] = [];
  const logger = createLogger({ name: 'api', level: 'trace', destination: { write: (line) => log.push(line) } });
  const adminKey = issueApiKey(uuidV7.next()).text;
  const environment = loadApiConfig({ DATABASE_URL: databaseUrl ?? database?.url ?? '' });
  const app = await createApi({ ...environment, adminKey, registryDeadlineMs: 2_000, noticeMs: 0, ...config }, { logger });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  async function send(method: string, path: string, { key = adminKey, body, headers = {} }: Sending = {}): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: isJson(response) ? JSON.parse(text) : undefined };
  }

  return {
    app,
    url,
    adminKey,
    log,
    send,
    post: (path, body, sending = {}) =>
      send('POST', path, { ...sending, body, headers: { 'idempotency-key': uuidV7.next(), ...sending.headers } }),
    async keyWith(grants, { subject = uuidV7.next(), expiresAt } = {}) {
      const issued = issueApiKey(uuidV7.next());
      const principal = { kind: 'service', issuer: 'spec', subject } as const;
      await app.get(ApiKeys).put({ ...issued, principal, grants, ...(expiresAt === undefined ? {} : { expiresAt }) });
      return issued.text;
    },
    async stop() {
      await app.close();
      await database?.drop();
    },
  };
}

function isJson(response: Response): boolean {
  return /^application\/(?:problem\+)?json/.test(response.headers.get('content-type') ?? '');
}

/** The answer as a problem document; throws when it is none as RFC 9457 has it. */
export function problemIn(answer: Answer): Problem {
  const type = answer.headers.get('content-type') ?? '';
  if (!type.startsWith('application/problem+json')) throw new Error(`${answer.status} with ${type}: ${answer.text.slice(0, 500)}`);
  const problem = answer.body as Problem;
  if (problem.status !== answer.status) throw new Error(`the document says ${problem.status}, the answer ${answer.status}`);
  return problem;
}

/** Everything but what is named. */
export function allBut(verb: Grant['verbs'][number]): Grant[] {
  return everything.map((grant) => ({ ...grant, verbs: grant.verbs.filter((held) => held !== verb) }));
}
