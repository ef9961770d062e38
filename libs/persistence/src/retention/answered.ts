import { type IdempotentRequest, storeAnswer, type StoredAnswer } from '../access/idempotency-keys.js';
import { type Database, rollBack, type Tables, undefinedWhenRolledBack } from '../database.js';

/** A request whose key is claimed, and what it is answered when its work is done. */
export interface ClaimedRequest<Done> {
  readonly request: IdempotentRequest;
  readonly token: string;
  readonly answerOf: (done: Done) => StoredAnswer;
}

/** One transaction of the work and its answer; undefined, and nothing done, when the request's claim was taken over meanwhile. */
export function answered<Done>(
  database: Database,
  { request, token, answerOf }: ClaimedRequest<Done>,
  work: (tables: Tables) => Promise<Done>,
): Promise<StoredAnswer | undefined> {
  return database
    .transaction(async (tables) => {
      const answer = answerOf(await work(tables));
      if (!(await storeAnswer(tables, request, token, answer))) rollBack();
      return answer;
    })
    .catch(undefinedWhenRolledBack);
}
