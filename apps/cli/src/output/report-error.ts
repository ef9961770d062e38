import { WaybillError } from '@waybill/kernel';
import { TopologyError } from '@waybill/topology';
import { ApiProblem, explain, nearWords } from '../api-client/api-problem.js';
import type { Output } from './console-output.js';

/** Says on stderr what went wrong; with `--json` a program reads it from stdout as well. */
export function reportError(error: unknown, output: Output, { json }: { readonly json: boolean }): void {
  output.error(`waybill: ${linesOf(error).join('\n  ')}`);
  if (json) output.json({ error: forPrograms(error) });
}

function linesOf(error: unknown): string[] {
  if (error instanceof ApiProblem) return explain(error);
  if (error instanceof TopologyError) return [error.message, ...nearWords(error.details['near'] as readonly string[] | undefined)];
  if (error instanceof WaybillError) return [error.message];
  return [textOf(error)];
}

function forPrograms(error: unknown): object {
  if (error instanceof ApiProblem) return { ...factsOf(error), ...(error.problem === undefined ? {} : { problem: error.problem }) };
  if (isOurs(error)) return factsOf(error);
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

function factsOf({ code, message, retryable }: WaybillError): object {
  return { code, message, retryable };
}

/** Says which codes it may have, which `instanceof` leaves open. */
function isOurs(error: unknown): error is WaybillError {
  return error instanceof WaybillError;
}

/** Nobody expected it, so the place where it happened is worth more than a clean screen. */
function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
