import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import axios, { AxiosError, type AxiosInstance } from 'axios';
import type { Answer, Exchange, TransportSettings } from './exchange.js';
import type { ProxyServer } from './proxies.js';
import { Run } from './run.js';
import { proxyRefusal } from './tunnel.js';
import { UploadBody } from './upload-body.js';

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
      maxContentLength: -1, // whoever reads a body caps it
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
        return run.answer(await run.orEndedEarly(this.#send(exchange, authorization, run)));
      } catch (error) {
        const reason = run.failed(error instanceof AxiosError ? (error.cause ?? error) : error);
        if (!run.metStaleConnection || attempt === maxAttempts) throw reason;
      }
    }
  }

  async #send(exchange: Exchange, authorization: string | undefined, run: Run): Promise<IncomingMessage> {
    const { agents, redactor } = this.#settings;
    const { httpAgent, httpsAgent, proxy } = agents.for(exchange.url, exchange.lane ?? 'small');
    redactor.learn(proxy?.secrets ?? []);
    const asksProxy = proxy !== undefined && exchange.url.protocol === 'http:';
    const { data: response } = await this.#http.request<IncomingMessage>({
      method: exchange.method,
      url: exchange.url.href,
      headers: { 'user-agent': this.#settings.userAgent, ...headersOf(exchange, authorization) },
      data: exchange.body instanceof Uint8Array ? Buffer.from(exchange.body) : exchange.body,
      httpAgent,
      httpsAgent,
      transport: { request: asksProxy ? askingProxy(run, exchange.url, proxy) : run.begin },
    });
    if (asksProxy && response.statusCode === 407) {
      response.destroy();
      throw proxyRefusal(407);
    }
    return response;
  }
}

/** A proxy is asked with the whole URL (RFC 9112, section 3.2.2); inside of a tunnel it would see neither that nor its credentials. */
function askingProxy(run: Run, { origin, pathname, search }: URL, { authorization }: ProxyServer): Run['begin'] {
  return ({ headers, ...options }, onResponse) =>
    run.begin(
      {
        ...options,
        path: `${origin}${pathname}${search}`,
        headers: { ...(headers as OutgoingHttpHeaders), ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
      },
      onResponse,
    );
}

function headersOf(exchange: Exchange, authorization: string | undefined): Record<string, string> {
  const { body, headers } = exchange;
  const length = body instanceof UploadBody ? body.length : body?.byteLength;
  return {
    accept: '*/*',
    'accept-encoding': 'identity',
    ...(length === undefined ? {} : { 'content-length': String(length), 'content-type': 'application/octet-stream' }),
    ...headers,
    ...(authorization === undefined ? {} : { authorization }),
  };
}
