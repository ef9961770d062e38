import type { ServerResponse } from 'node:http';
import { WaybillError } from '@waybill/kernel';

/**
 * The codes of distribution-spec v1.1.1, "Error Codes", with the status this registry sends for each.
 * `UNKNOWN` is the one Docker's registries add for their own failures.
 */
const statusOf = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const;

export type RefusalCode = keyof typeof statusOf;

interface RefusalOptions {
  /** Goes out as `detail`, one error per element; a refusal without any is one error. */
  readonly details?: readonly unknown[];
  /** Where the specification wants another status than the code's usual one. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A request that is answered with an error of the distribution specification. */
export class Refusal extends WaybillError<RefusalCode> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #details: readonly unknown[];

  constructor(code: RefusalCode, message: string, options: RefusalOptions = {}) {
    super(message, { code, operation: 'answer request', cause: options.cause });
    this.status = options.status ?? statusOf[code];
    this.headers = options.headers ?? {};
    this.#details = options.details ?? [];
  }

  /** The body: distribution-spec v1.1.1, "Error Codes". */
  body(): { readonly errors: readonly object[] } {
    const error = { code: this.code, message: this.message };
    return { errors: this.#details.length === 0 ? [error] : this.#details.map((detail) => ({ ...error, detail })) };
  }
}

/** Answers with the refusal; a response that has begun can only be broken off. */
export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(refusal.body());
  response.writeHead(refusal.status, {
    ...refusal.headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
