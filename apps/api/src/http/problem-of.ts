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
const registryRetryMs = 10_000;

/** What an error means to an HTTP client: the one place that knows. */
export function problemOf(error: unknown, instance: string): ProblemAnswer {
  if (error instanceof ContentError) return ofContent(error, instance);
  if (isOurs(error) && isProblemCode(error.code)) return ofOurs(error, error.code, instance);
  if (isDatabaseUnavailable(error)) {
    return answer('unavailable', 'the database does not answer', { instance, retryAfterMs: databaseRetryMs });
  }
  if (error instanceof HttpException) return ofNest(error, instance);
  return { ...answer('internal', undefined, { instance }), isDefect: true };
}

/** Codes of content errors and of problems are two lists, which share words: `unavailable` is a registry in the one, Waybill in the other. */
function ofContent(error: ContentError, instance: string): ProblemAnswer {
  if (error.code === 'digest-invalid' || error.code === 'reference-invalid') return ofOurs(error, error.code, instance);
  return error.retryable
    ? answer('source-unreachable', error.message, { instance, retryAfterMs: error.retryAfterMs ?? registryRetryMs })
    : answer('source-broken', error.message, { instance });
}

function ofOurs(error: WaybillError, code: ProblemCode, instance: string): ProblemAnswer {
  const { near, pointer } = error.details;
  const errors = error instanceof ApiError ? error.errors : placeOf(pointer, error.message);
  return answer(code, error.message, {
    instance,
    retryAfterMs: error.retryAfterMs,
    more: { ...(Array.isArray(near) && near.length > 0 ? { near: near as string[] } : {}), ...(errors === undefined ? {} : { errors }) },
  });
}

function isOurs(error: unknown): error is WaybillError {
  return error instanceof WaybillError;
}

function placeOf(pointer: unknown, detail: string): Problem['errors'] {
  return typeof pointer === 'string' ? [{ pointer, detail }] : undefined;
}

/** What the framework itself refuses: an address that is none, and one that leads nowhere. */
function ofNest(error: HttpException, instance: string): ProblemAnswer {
  switch (error.getStatus()) {
    case 400:
      return answer('malformed-request', undefined, { instance });
    case 404:
      return answer('not-found', 'nothing is at this address: the routes are listed at /api/docs', { instance });
    default:
      return { ...answer('internal', undefined, { instance }), isDefect: true };
  }
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
