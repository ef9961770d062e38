import { WaybillError } from '@waybill/kernel';
import { type Answer, jsonAnswer } from './answer.js';

/**
 * The codes of distribution-spec v1.1.1, "Error Codes", with the status this registry sends for each.
 * `UNKNOWN` is the one Docker's registries add for their own failures.
 */
const statusOf = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
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

  /** The answer that says so, in the form of distribution-spec v1.1.1, "Error Codes". */
  answer(): Answer {
    const error = { code: this.code, message: this.message };
    const errors = this.#details.length === 0 ? [error] : this.#details.map((detail) => ({ ...error, detail }));
    return { ...jsonAnswer({ errors }, this.headers), status: this.status };
  }
}
