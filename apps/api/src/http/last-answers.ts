import type { NextFunction, Request, Response } from 'express';
import type { Draining } from '../infrastructure/draining.js';

/** While the process drains, every answer is the last one of its connection: the next request finds another process. */
export function lastAnswers(draining: Pick<Draining, 'isUnderWay'>) {
  return (_request: Request, response: Response, next: NextFunction): void => {
    if (draining.isUnderWay) response.setHeader('Connection', 'close');
    next();
  };
}
