import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ContentError, type RepositoryName } from '@waybill/oci-model';
import axios, { AxiosError, type AxiosInstance } from 'axios';
import type { Agents, Lane } from './agents.js';
import { errorOfNetwork } from './network-errors.js';
import type { RequestEvent, RequestKind, Timeouts } from './options.js';
import type { Redactor } from './redact.js';
import { RegistryError } from './registry-error.js';
import { UploadBody } from './upload-body.js';
import { type ExchangeLimits, type Expiry, watchExchange } from './watch.js';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/** One request over the wire: no redirect is followed, no status judged. */
export interface Exchange {
  readonly method: Method;
  readonly url: URL;
  readonly kind: RequestKind;
  /** For errors, e.g. `push manifest`. */
  readonly operation: string;
  readonly repository?: RepositoryName | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | UploadBody | undefined;
  readonly lane?: Lane;
  readonly signal?: AbortSignal | undefined;
}

/** The head of an answer. Whoever gets it reads `body` to its end or destroys it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Errors are RegistryErrors or Node's own; `errorOfNetwork` makes the first of the second. */
  readonly body: IncomingMessage;
  readonly url: URL;
}

export interface TransportSettings {
  readonly origin: URL;
  readonly agents: Agents;
  readonly timeouts: Timeouts;
  readonly redactor: Redactor;
  readonly observe: (event: RequestEvent) => void;
}

/** Connections that a server closed while they idled can come in a row, but not without end. */
const maxAttempts = 3;

/** Sends requests: bounded connections, deadlines by phase, abort, typed errors, one event each. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #http: AxiosInstance;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#http = axios.create({
      adapter: 'http',
      maxRedirects: 0, // redirects.ts follows them
      maxBodyLength: -1,
      maxContentLength: -1,
      responseType: 'stream',
      validateStatus: () => true,
      decompress: false, // a layer is the bytes it is
      proxy: false, // no proxy of the environment unasked
      transformRequest: (data: unknown) => data,
    });
  }

  /** `authorization` is added to the headers. Rejects with RegistryError, or with the error of the body. */
  async exchange(exchange: Exchange, authorization: string | undefined): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const run = new Run(exchange, this.#settings);
      try {
        return run.answered(await this.#send(exchange, authorization, run));
      } catch (error) {
        const reason = run.failed(error instanceof AxiosError ? (error.cause ?? error) : error);
        if (!run.metStaleConnection || attempt === maxAttempts) throw reason;
      }
    }
  }

  async #send(exchange: Exchange, authorization: string | undefined, run: Run): Promise<IncomingMessage> {
    const { agents, origin } = this.#settings;
    const response = await this.#http.request<IncomingMessage>({
      method: exchange.method,
      url: exchange.url.href,
      headers: headersOf(exchange, authorization),
      data: exchange.body instanceof Uint8Array ? Buffer.from(exchange.body) : exchange.body,
      transport: { request: run.begin },
      ...(exchange.url.origin === origin.origin ? agents.own(exchange.lane ?? 'small') : agents.foreign()),
    });
    return response.data;
  }
}

/** The life of one exchange, and the one place that may end it early. */
class Run {
  readonly #exchange: Exchange;
  readonly #settings: TransportSettings;
  readonly #started = performance.now();
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #interruption: Error | undefined;
  #received = 0;

  constructor(exchange: Exchange, settings: TransportSettings) {
    this.#exchange = exchange;
    this.#settings = settings;
    const { signal, body } = exchange;
    if (signal?.aborted === true) this.#abort();
    signal?.addEventListener('abort', this.#abort);
    if (!(body instanceof UploadBody)) return;
    if (body.errored !== null) this.#interrupt(body.errored);
    body.once('error', this.#interrupt);
  }

  /** Takes the place of Node's `request`, so that the request can be watched from its first moment. */
  readonly begin = (options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest => {
    const request = (options.protocol === 'https:' ? httpsRequest : httpRequest)(options, onResponse);
    this.#request = request;
    watchExchange(request, this.#limits(), (expiry) => this.#interrupt(this.#expired(expiry)));
    if (this.#interruption !== undefined) request.destroy(this.#interruption);
    return request;
  };

  answered(response: IncomingMessage): Answer {
    this.#response = response;
    response.pause(); // counting must not set it flowing before its reader is there
    response.on('data', (chunk: Buffer) => {
      this.#received += chunk.byteLength;
    });
    let broken: Error | undefined;
    response.once('error', (error) => {
      broken = error;
    });
    response.once('close', () => {
      this.#over(broken);
    });
    if (this.#interruption !== undefined) response.destroy(this.#interruption);
    return { status: response.statusCode ?? 0, headers: response.headers, body: response, url: this.#exchange.url };
  }

  failed(error: unknown): Error {
    const { origin, redactor } = this.#settings;
    const reason = this.#interruption ?? errorOfNetwork(error, { host: origin.host, operation: this.#exchange.operation, redactor });
    this.#over(reason);
    return reason;
  }

  /**
   * Did the server close a kept connection just as we used it again? Then it has not seen the request,
   * which is simply sent anew (RFC 9112, section 9.3.1); a streamed body is gone and cannot be.
   */
  get metStaleConnection(): boolean {
    const unanswered = this.#response === undefined && this.#interruption === undefined;
    return unanswered && this.#request?.reusedSocket === true && !(this.#exchange.body instanceof UploadBody);
  }

  readonly #abort = (): void => {
    this.#interrupt(abortedError(this.#settings.origin.host, this.#exchange));
  };

  readonly #interrupt = (reason: Error): void => {
    this.#interruption ??= reason;
    this.#response?.destroy(this.#interruption);
    this.#request?.destroy(this.#interruption);
  };

  #limits(): ExchangeLimits {
    const { connectMs, answerMs, commitMs, idleMs, smallMs } = this.#settings.timeouts;
    const blob = this.#exchange.lane === 'blob';
    return {
      connectMs,
      idleMs,
      answerMs: this.#exchange.body instanceof UploadBody ? commitMs : answerMs,
      ...(blob ? {} : { totalMs: smallMs }),
    };
  }

  #expired(expiry: Expiry): RegistryError {
    const { host } = this.#settings.origin;
    const said: Readonly<Record<Expiry, string>> = {
      connect: `${host} did not accept a connection in time`,
      answer: `${host} did not answer in time`,
      idle: `${host} moved no byte for too long`,
      total: `${host} answers too slowly`,
    };
    return new RegistryError(said[expiry], {
      code: expiry === 'connect' ? 'unreachable' : 'timeout',
      operation: this.#exchange.operation,
      host,
      retryable: true,
    });
  }

  #over(broken: Error | undefined): void {
    const { method, kind, repository, signal, body } = this.#exchange;
    signal?.removeEventListener('abort', this.#abort);
    const status = this.#response?.statusCode;
    this.#settings.observe({
      method,
      kind,
      repository,
      ...(status === undefined ? {} : { status }),
      sentBytes: body instanceof UploadBody ? body.passed : (body?.byteLength ?? 0),
      receivedBytes: this.#received,
      ms: performance.now() - this.#started,
      ...(broken === undefined ? {} : { error: broken instanceof ContentError ? broken.code : 'unreachable' }),
    });
  }
}

export function abortedError(host: string, exchange: Pick<Exchange, 'operation' | 'signal'>): RegistryError {
  const cause: unknown = exchange.signal?.reason;
  return new RegistryError(`${exchange.operation} was aborted`, {
    code: 'aborted',
    operation: exchange.operation,
    host,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

function headersOf(exchange: Exchange, authorization: string | undefined): Record<string, string> {
  const { body, headers } = exchange;
  const length = body instanceof UploadBody ? body.length : body?.byteLength;
  return {
    'user-agent': 'waybill',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...headers,
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}
