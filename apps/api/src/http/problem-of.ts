import { HttpException } from '@nestjs/common';
import { isProblemCode, type Problem, type ProblemCode, problemKinds, problemType } from '@waybill/contracts/http';
import { WaybillError } from '@waybill/kernel';
import { ContentError } from '@waybill/oci-model';
import { isDatabaseUnavailable } from '@waybill/persistence';
import { ApiError } from './api-error.js';

export interface ProblemAnswer {
  readonly problem: Problem;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** A mistake of ours, to be looked at. */
  readonly isDefect: boolean;
}

const databaseRetryMs = 2_000;

/** What an error means to an HTTP client: the one place that knows. */
export function problemOf(error: unknown, instance: string): ProblemAnswer {
  if (isDatabaseUnavailable(error))
    return answer('unavailable', 'the database does not answer', { instance, retryAfterMs: databaseRetryMs });
  if (error instanceof WaybillError && isProblemCode(error.code)) return ofOurs(error, error.code, instance);
  if (error instanceof ContentError) {
    return error.retryable
      ? answer('source-unreachable', error.message, { instance, retryAfterMs: error.retryAfterMs ?? databaseRetryMs })
      : answer('source-broken', error.message, { instance });
  }
  if (error instanceof HttpException) return ofNest(error, instance);
  return { ...answer('internal', undefined, { instance }), isDefect: true };
}

function ofOurs(error: WaybillError, code: ProblemCode, instance: string): ProblemAnswer {
  const { near, pointer } = error.details;
  const errors = error instanceof ApiError ? error.errors : typeof pointer === 'string' ? [{ pointer, detail: error.message }] : undefined;
  return answer(code, error.message, {
    instance,
    retryAfterMs: error.retryAfterMs,
    more: { ...(Array.isArray(near) && near.length > 0 ? { near: near as string[] } : {}), ...(errors === undefined ? {} : { errors }) },
  });
}

const nestCodes: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed-json',
  404: 'not-found',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};

function ofNest(error: HttpException, instance: string): ProblemAnswer {
  const code = nestCodes[error.getStatus()];
  return code === undefined
    ? { ...answer('internal', undefined, { instance }), isDefect: true }
    : answer(code, code === 'malformed-json' ? error.message : undefined, { instance });
}

function answer(
  code: ProblemCode,
  detail: string | undefined,
  facts: { readonly instance: string; readonly retryAfterMs?: number | undefined; readonly more?: Partial<Problem> },
): ProblemAnswer {
  const { status, title } = problemKinds[code];
  const problem = {
    type: problemType(code),
    title,
    status,
    code,
    instance: facts.instance,
    ...(detail === undefined ? {} : { detail }),
    ...facts.more,
  };
  const retryAfter = facts.retryAfterMs === undefined ? undefined : Math.ceil(facts.retryAfterMs / 1_000);
  return { problem, retryAfter, isDefect: false };
}
