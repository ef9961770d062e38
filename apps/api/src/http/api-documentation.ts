import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Problem, type ProblemCode, problemKinds } from '@waybill/contracts/http';
import type { z } from 'zod';

export interface RouteDocumentation {
  readonly summary: string;
  readonly status: number;
  readonly answer?: z.ZodType;
  /** Problems of this route beside those that every route may answer. */
  readonly problems?: readonly ProblemCode[];
  readonly idempotent?: boolean;
}

const everywhere: readonly ProblemCode[] = ['unauthenticated', 'forbidden', 'request-invalid', 'unavailable'];
const ofIdempotent: readonly ProblemCode[] = ['idempotency-key-missing', 'idempotency-key-reused', 'request-in-flight'];

/** What a route answers, for OpenAPI, from the schemas that are sent. */
export function Documented(route: RouteDocumentation): MethodDecorator & ClassDecorator {
  const problems = new Set([...everywhere, ...(route.idempotent ? ofIdempotent : []), ...(route.problems ?? [])]);
  const statuses = new Set([...problems].map((code) => problemKinds[code].status));
  const codesOf = (status: number) => [...problems].filter((code) => problemKinds[code].status === status).join(', ');
  return applyDecorators(
    ApiOperation({ summary: route.summary }),
    ApiResponse({
      status: route.status,
      description: route.answer?.description ?? 'done',
      ...(route.answer === undefined ? {} : { standardSchema: route.answer }),
    }),
    ...[...statuses].map((status) => ApiResponse({ status, description: codesOf(status), standardSchema: Problem })),
    ...(route.idempotent
      ? [
          ApiHeader({
            name: 'Idempotency-Key',
            required: true,
            description: 'new for each new request, the same when it is repeated; kept 24 hours',
          }),
        ]
      : []),
  );
}
