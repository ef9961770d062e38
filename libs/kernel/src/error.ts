/** What every error of Waybill says beside its message. */
export interface ErrorFacts<Code extends string> {
  /** A word of the library's closed list of codes. */
  readonly code: Code;
  /** What was being done, e.g. `push manifest`. */
  readonly operation: string;
  /** Whether doing the same again later may succeed; decided where the error is raised. */
  readonly retryable?: boolean;
  /** The earliest sensible time of the next try, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Facts for the reader and for problem documents; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * Base of all typed errors. HTTP, OCI and queue meanings are added at the edges,
 * never here.
 */
export abstract class WaybillError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly operation: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, facts: ErrorFacts<Code>) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.operation = facts.operation;
    this.retryable = facts.retryable ?? false;
    this.retryAfterMs = facts.retryAfterMs;
    this.details = facts.details ?? {};
  }
}
