import { applyDecorators } from '@nestjs/common';
import { ApiExtension, ApiHeader, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { eventData, type EventName, type ProblemCode, problemKinds } from '@waybill/contracts/http';
import { z } from 'zod';

export interface RouteDocumentation {
  readonly summary: string;
  /** Of the answer to a request that was accepted. */
  readonly status: number;
  /** Absent for an answer without content. */
  readonly answer?: z.ZodType;
  /** Whom the route is for. */
  readonly audience: 'clients' | 'operators';
  /** What each parameter of the route's path is. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Takes a JSON body. */
  readonly body?: boolean;
  /** Problems of this route beside those that follow from the rest. */
  readonly problems?: readonly ProblemCode[];
  /** Takes an Idempotency-Key. */
  readonly idempotent?: boolean;
  /** Needs no key. */
  readonly open?: boolean;
}

const ofEvery: readonly ProblemCode[] = ['malformed-request', 'internal'];
const ofClosed: readonly ProblemCode[] = ['unauthenticated', 'forbidden', 'unavailable'];
const ofBody: readonly ProblemCode[] = ['malformed-json', 'body-too-large', 'unsupported-media-type', 'request-invalid'];
const ofIdempotent: readonly ProblemCode[] = ['idempotency-key-missing', 'idempotency-key-reused', 'request-in-flight'];

/** Of RFC 9457. */
const problemMediaType = 'application/problem+json';

/** What a route answers, for OpenAPI, from the schemas that are sent. */
export function Documented(route: RouteDocumentation): MethodDecorator {
  const { summary, status, answer, audience, idempotent, parameters = {} } = route;
  return applyDecorators(
    ApiOperation({ summary }),
    ApiExtension('x-audience', audience),
    ApiExtension('x-stability', 'experimental'),
    ...Object.entries(parameters).map(([name, description]) => ApiParam({ name, description, schema: { type: 'string', description } })),
    ApiResponse({
      status,
      description: answer?.description ?? 'done',
      ...(answer === undefined ? {} : { standardSchema: answer }),
      ...(status === 201 || status === 202 ? { headers: { Location: location } } : {}),
    }),
    ...problemResponses(route),
    ...(idempotent ? [ApiHeader(idempotencyKey)] : []),
  );
}

export interface StreamDocumentation extends Pick<RouteDocumentation, 'summary' | 'parameters' | 'problems'> {
  /** What the stream tells. */
  readonly events: readonly EventName[];
}

/** A route that answers with server-sent events: OpenAPI has no words for their data, so the schemas are named. */
export function DocumentedStream({ summary, parameters = {}, problems = [], events }: StreamDocumentation): MethodDecorator {
  const schemas = events.map((name) => ({ name, schema: String(z.globalRegistry.get(eventData[name])?.id) }));
  const anyOf = [...new Set(schemas.map(({ schema }) => schema))].map((schema) => ({ $ref: `#/components/schemas/${schema}` }));
  return applyDecorators(
    ApiOperation({ summary }),
    ApiExtension('x-audience', 'clients'),
    ApiExtension('x-stability', 'experimental'),
    ...Object.entries(parameters).map(([name, description]) => ApiParam({ name, description, schema: { type: 'string', description } })),
    ApiHeader(lastEventId),
    ApiResponse({
      status: 200,
      description: `server-sent events, with JSON as their data: ${schemas.map(({ name, schema }) => `${name} (${schema})`).join(', ')}`,
      content: { 'text/event-stream': { schema: { description: 'the data of one event', anyOf } } },
    }),
    ...problemResponses({ summary, status: 200, audience: 'clients', problems }),
  );
}

const lastEventId = {
  name: 'Last-Event-ID',
  required: false,
  description: 'the last event that was received: what follows it is sent, and where that is no longer known, `reset`',
  schema: { type: 'string', description: 'digits' },
} as const;

const location = { description: 'where to follow what was made', schema: { type: 'string', description: 'path' } } as const;

const idempotencyKey = {
  name: 'Idempotency-Key',
  required: true,
  description: 'new for each new request, the same when it is repeated; kept 24 hours',
  schema: { type: 'string', description: 'visible ASCII characters', minLength: 1, maxLength: 255 },
} as const;

/** One response for each status, which names the codes that come with it. */
function problemResponses({ body, idempotent, open, problems = [] }: RouteDocumentation): (MethodDecorator & ClassDecorator)[] {
  const codes = new Set([...ofEvery, ...(open ? [] : ofClosed), ...(body ? ofBody : []), ...(idempotent ? ofIdempotent : []), ...problems]);
  const statuses = [...new Set([...codes].map((code) => problemKinds[code].status))].sort();
  return statuses.map((status) =>
    ApiResponse({
      status,
      description: [...codes]
        .filter((code) => problemKinds[code].status === status)
        .sort()
        .join(', '),
      content: { [problemMediaType]: { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}
