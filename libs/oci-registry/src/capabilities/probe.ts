import type { ProbeName, RegistryCapabilities } from '@waybill/oci-model';
import type { Clock } from '@waybill/kernel';
import { discard } from '../body.js';
import type { Connection, RegistryRequest } from '../connection.js';
import type { Answer } from '../exchange.js';
import type { RepositoryScope } from '../scope.js';
import type { CheckContent } from './check-content.js';

/** One check of one registry: where it looks, and what it writes there. */
export interface CheckRun {
  readonly connection: Connection;
  readonly one: RepositoryScope;
  readonly two: RepositoryScope;
  /** Settled before anything of it is written. */
  content: CheckContent;
  readonly clock: Clock;
  /** Told by the first answer; undefined before it, and when that told no time. */
  clockSkewMs?: number | undefined;
}

/** What a probe learnt. */
export interface Finding {
  readonly note?: string;
  readonly capabilities?: Partial<RegistryCapabilities>;
  readonly clockSkewMs?: number;
}

/**
 * Answers one question about a registry. It asks in requests of its own, whatever the client believes
 * of the registry, and rejects with ContentError or ProbeFailure when there is no answer.
 */
export interface Probe {
  readonly name: ProbeName;
  /** Only when these are `ok` does asking make sense. */
  readonly after: readonly ProbeName[];
  /** Changes something at the registry. */
  readonly writes: boolean;
  look(run: CheckRun, signal: AbortSignal): Promise<Finding>;
}

export type Question = Pick<RegistryRequest, 'method' | 'access' | 'headers' | 'body'> & {
  /** A path beneath the repository, with its query, e.g. `/blobs/uploads/`, or where the registry pointed to. */
  readonly url: string | URL;
  /** For errors, e.g. `delete manifest`. */
  readonly operation: string;
  readonly signal: AbortSignal;
};

/** Sends a request of a probe; any status is an answer. */
export function ask({ connection, name, path }: RepositoryScope, { url, ...question }: Question): Promise<Answer> {
  return connection.send({ ...question, url: typeof url === 'string' ? `${path}${url}` : url, kind: 'check', repository: name });
}

/** The answer's status when it is one of `expected`; its body is dropped. Rejects with what any other answer means. */
export async function statusOf(scope: RepositoryScope, question: Question, expected: ReadonlySet<number>): Promise<number> {
  const answer = await ask(scope, question);
  if (!expected.has(answer.status)) throw await scope.connection.refusal(answer, { operation: question.operation, repository: scope.name });
  await discard(answer);
  return answer.status;
}

/** What every deletion has in common. */
export const deletes = { method: 'DELETE', access: 'delete' } as const;

/** Statuses of one meaning each. */
export const done: ReadonlySet<number> = new Set([200, 201, 202, 204]);
/** How registries say that they do not offer something; 401 and 403 speak of the account instead. */
export const declined: ReadonlySet<number> = new Set([400, 404, 405, 409, 501]);
export const doneOrDeclined: ReadonlySet<number> = new Set([...done, ...declined]);
