import type { EmbeddedErrorCode } from '../embedded-error.js';
import type { CollectedSpace } from '../registry/collect-garbage.js';
import type { RegistryEngine } from '../registry/registry-folder.js';
import type { CollectionPhase } from '../registry/served-registry.js';

/** A registry that the supervisor runs. */
export interface ControlledRegistry {
  readonly name: string;
  readonly url: string;
  readonly engine: RegistryEngine;
}

/** One line of JSON opens a connection; `id` names a collection, so that who asks again is told of the one that goes on. */
export type ControlRequest =
  | { readonly verb: 'registries' }
  | { readonly verb: 'collect'; readonly registry: string; readonly id: string; readonly isDryRun: boolean };

/** Lines of JSON follow: phases as they begin, and one that is the end. */
export type ControlAnswer =
  | { readonly phase: CollectionPhase }
  | { readonly registries: readonly ControlledRegistry[] }
  | { readonly collected: CollectedSpace }
  | { readonly error: { readonly code: EmbeddedErrorCode; readonly message: string; readonly retryable: boolean } };

/** A request is short; an answer quotes the last lines of a program. In characters. */
export const maxRequestLength = 4 * 1024;
export const maxAnswerLength = 1024 * 1024;

/** What came over the wire, if it is a request. */
export function parseRequest(line: string): ControlRequest | undefined {
  const value = parseObject(line);
  if (value?.['verb'] === 'registries') return { verb: 'registries' };
  const { verb, registry, id, isDryRun } = value ?? {};
  if (verb !== 'collect' || typeof registry !== 'string' || typeof id !== 'string' || typeof isDryRun !== 'boolean') return undefined;
  return { verb, registry, id, isDryRun };
}

/** An answer of our own supervisor, which is of this very version: it started whoever asks. */
export function parseAnswer(line: string): ControlAnswer | undefined {
  const value = parseObject(line);
  const isAnswer = value !== undefined && ['phase', 'registries', 'collected', 'error'].some((key) => key in value);
  return isAnswer ? (value as unknown as ControlAnswer) : undefined;
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
