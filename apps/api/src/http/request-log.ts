import { uuidV7 } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import type { NextFunction, Request, Response } from 'express';
import { actorOf } from './actor.js';

const requestIds = new WeakMap<Request, string>();

export function requestIdOf(request: Request): string {
  return requestIds.get(request) ?? 'unknown';
}

/** Gives every request an id, says it in `X-Request-Id`, and logs the request when it is over: never its body or query. */
export function logRequests(logger: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const requestId = uuidV7.next();
    const started = performance.now();
    requestIds.set(request, requestId);
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => {
      const principalId = actorOf(request)?.principal.id;
      const fields = {
        requestId,
        method: request.method,
        path: request.path,
        status: response.statusCode,
        ms: Math.round(performance.now() - started),
        principalId,
      };
      // Health is asked every few seconds.
      logger[request.path.startsWith('/health') ? 'debug' : 'info'](fields, 'request');
    });
    next();
  };
}
