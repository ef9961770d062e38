import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Logger } from '@waybill/observability';
import type { Request, Response } from 'express';
import { LOGGER } from '../infrastructure/tokens.js';
import { problemOf } from './problem-of.js';
import { requestIdOf } from './request-log.js';

/** Answers every error as a problem document (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(@Inject(LOGGER) logger: Logger) {
    this.#logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const requestId = requestIdOf(http.getRequest<Request>());
    const { problem, retryAfter, isDefect } = problemOf(error, `urn:uuid:${requestId}`);
    if (isDefect || problem.status >= 500) {
      this.#logger[isDefect ? 'error' : 'warn']({ requestId, code: problem.code, err: error }, 'request failed');
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="waybill"');
    if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
