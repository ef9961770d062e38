import { type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ContentError } from '@waybill/oci-model';
import { abortedError, type Answer, type Exchange, type TransportSettings } from './exchange.js';
import { errorOfNetwork } from './network-errors.js';
import { RegistryError } from './registry-error.js';
import { maxHeaderBytes } from './tunnel.js';
import { UploadBody } from './upload-body.js';
import { type ExchangeLimits, type Expiry, watchExchange } from './watch.js';

/** The life of one exchange, and the one place that may end it early. */
export class Run {
  readonly #exchange: Exchange;
  readonly #settings: TransportSettings;
  readonly #started = performance.now();
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #interruption: Error | undefined;
  #reject: ((reason: Error) => void) | undefined;
  #lastPatience: NodeJS.Timeout | undefined;
  #received = 0;
  #isOver = false;

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
    const request = (options.protocol === 'https:' ? httpsRequest : httpRequest)({ ...options, maxHeaderSize: maxHeaderBytes }, onResponse);
    this.#request = request;
    request.once('response', this.#receive);
    watchExchange(request, this.#limits(), (expiry) => this.#interrupt(this.#expired(expiry)));
    if (this.#interruption !== undefined) request.destroy(this.#interruption);
    return request;
  };

  /**
   * Resolves with `response`, or rejects as soon as the exchange is ended early: Node tells nobody
   * that a request was destroyed while it waited for a connection.
   */
  async orEndedEarly<T>(response: Promise<T>): Promise<T> {
    return await Promise.race([
      response,
      new Promise<never>((_resolve, reject) => {
        this.#reject = reject;
        if (this.#interruption !== undefined) reject(this.#interruption);
      }),
    ]);
  }

  answer(response: IncomingMessage): Answer {
    return { status: response.statusCode ?? 0, headers: response.headers, body: response, url: this.#exchange.url };
  }

  /** Ends the run without an answer and says why. */
  failed(error: unknown): Error {
    const { origin, redactor } = this.#settings;
    const reason =
      this.#interruption ??
      errorOfNetwork(error, { host: origin.host, party: this.#party(), operation: this.#exchange.operation, redactor });
    this.#over(reason);
    return reason;
  }

  /**
   * Did the server probably close a kept connection just as we used it again? Idempotent requests may then be
   * sent anew (RFC 9112, section 9.3.1); a POST may have been seen, and a streamed body is gone.
   */
  get metStaleConnection(): boolean {
    const unanswered = this.#response === undefined && this.#interruption === undefined;
    const mayRepeat = this.#exchange.method !== 'POST' && this.#exchange.method !== 'PATCH' && !(this.#exchange.body instanceof UploadBody);
    return unanswered && mayRepeat && this.#request?.reusedSocket === true;
  }

  readonly #receive = (response: IncomingMessage): void => {
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
      // Answered before it was sent whole: its connection would wait for a rest that nobody sends any more.
      if (this.#request?.writableFinished === false) this.#request.destroy();
    });
  };

  readonly #abort = (): void => {
    const reason = abortedError(this.#settings.origin.host, this.#exchange);
    if (this.#isOpeningUpload()) this.#lastPatience = setTimeout(this.#interrupt, this.#settings.timeouts.cancelMs, reason);
    else this.#interrupt(reason);
  };

  /** What its answer names somebody has to give back, and nobody else learns the name. */
  #isOpeningUpload(): boolean {
    const { method, kind } = this.#exchange;
    return method === 'POST' && (kind === 'upload' || kind === 'mount') && this.#request?.writableFinished === true;
  }

  readonly #interrupt = (reason: Error): void => {
    if (this.#interruption !== undefined) return;
    this.#interruption = reason;
    this.#response?.destroy(reason);
    this.#request?.destroy(reason);
    this.#reject?.(reason);
  };

  #limits(): ExchangeLimits {
    const { connectMs, answerMs, commitMs, idleMs, smallMs } = this.#settings.timeouts;
    return {
      connectMs,
      idleMs,
      answerMs: this.#exchange.kind === 'upload' && this.#exchange.method === 'PUT' ? commitMs : answerMs,
      ...(this.#exchange.lane === 'blob' ? {} : { totalMs: smallMs }),
    };
  }

  #expired(expiry: Expiry): RegistryError {
    const says: Readonly<Record<Expiry, string>> = {
      connect: 'did not accept a connection in time',
      answer: 'did not answer in time',
      idle: 'moved no bytes, or next to none, for too long',
      total: 'answers too slowly',
    };
    return new RegistryError(`${this.#party()} ${says[expiry]}`, {
      code: expiry === 'connect' ? 'unreachable' : 'timeout',
      operation: this.#exchange.operation,
      host: this.#settings.origin.host,
      retryable: true,
    });
  }

  /** Who is at the other end, for people: the registry, or what it linked to. */
  #party(): string {
    const { origin } = this.#settings;
    const { url } = this.#exchange;
    return url.host === origin.host ? origin.host : `${url.host}, which ${origin.host} links to,`;
  }

  #over(broken: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { method, kind, repository, signal, body } = this.#exchange;
    signal?.removeEventListener('abort', this.#abort);
    clearTimeout(this.#lastPatience);
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
