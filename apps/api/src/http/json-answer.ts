import type { StoredAnswer } from '@waybill/persistence';
import type { Response } from 'express';

/**
 * An answer as it is sent and kept: serialised here and nowhere else, so that a repetition gets
 * the same bytes. The database's jsonb would give an object's keys back in another order.
 */
export function jsonAnswer(status: number, headers: Readonly<Record<string, string>>, body: unknown): StoredAnswer {
  return { status, headers, body: JSON.stringify(body) };
}

/** Sets status and headers, and gives the text to return from a route. */
export function answerWith(response: Response, { status, headers, body }: StoredAnswer): string {
  if (typeof body !== 'string') throw new Error('an answer was kept that jsonAnswer did not make');
  response.status(status).set(headers).type('application/json');
  return body;
}
