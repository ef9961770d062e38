import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { json, type Request, type Response } from 'express';
import type { Observable } from 'rxjs';
import type { ProblemCode } from '@waybill/contracts/http';
import { ApiError } from './api-error.js';
import { bodyTypesKey } from './takes-body.js';

const maxBytes = 2 * 1024 * 1024;
/** Its type has been looked at by then. */
const readJson = json({ limit: maxBytes, type: () => true });
const usualTypes: readonly string[] = ['application/json'];

/**
 * Reads a request's JSON body. Guards come before interceptors and pipes after them, so
 * nothing is read of somebody who is not let in, and what is validated has been read.
 */
@Injectable()
export class ReadBodyInterceptor implements NestInterceptor {
  readonly #reflector: Reflector;

  constructor(reflector: Reflector) {
    this.#reflector = reflector;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    if (hasBody(request)) {
      const types = this.#reflector.get<readonly string[] | undefined>(bodyTypesKey, context.getHandler()) ?? usualTypes;
      checkType(request, types);
      await readBody(request, http.getResponse<Response>());
    }
    return next.handle();
  }
}

/** RFC 9112, section 6.3: a request has a body when it has one of these. */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function checkType(request: Request, types: readonly string[]): void {
  if (!request.is([...types])) throw new ApiError(`send the body as ${types.join(' or ')}`, { code: 'unsupported-media-type' });
}

function readBody(request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    readJson(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(refusalOf(error));
    });
  });
}

/** Kinds of errors of the parser, which it does not document beyond their statuses. */
const codeOfStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed-request',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};

function refusalOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('the body could not be read', { cause: error });
  if (!('status' in error) || typeof error.status !== 'number') return error;
  const isSyntax = 'type' in error && error.type === 'entity.parse.failed';
  const code = isSyntax ? 'malformed-json' : codeOfStatus[error.status];
  if (code === undefined) return error;
  // The parser's own messages quote the body.
  return new ApiError(detailOf(code), { code });
}

const details: Partial<Record<ProblemCode, string>> = {
  'malformed-json': 'the body is not a JSON object or array',
  'body-too-large': `the body is larger than ${maxBytes} bytes`,
  'unsupported-media-type': 'the body’s character set or encoding is not known here',
};

function detailOf(code: ProblemCode): string {
  return details[code] ?? 'the body cannot be read as it was announced';
}
