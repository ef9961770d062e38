import { describeVariables } from './describe-variables.js';
import type { Environment } from './variable.js';

/**
 * What a program of others gets that is run on our behalf, such as a credential helper: this process's environment
 * without what is Waybill's own, which holds passwords that are not for it.
 */
export function helperEnvironment(env: Environment = process.env): Record<string, string> {
  const ours = new Set(describeVariables().map(({ name }) => name));
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !ours.has(entry[0]) && !entry[0].startsWith('WAYBILL_'),
    ),
  );
}
