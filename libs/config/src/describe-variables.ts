import type { Variable } from './variable.js';
import { apiVariables, clientVariables, serverVariables, workerVariables } from './variables.js';

/** Which program reads a variable. `server` means both the API and the worker. */
export type VariableReader = 'server' | 'api' | 'worker' | 'cli';

/** One row of the configuration table. */
export interface VariableDescription {
  readonly name: string;
  readonly readBy: VariableReader;
  readonly meaning: string;
  readonly expected: string;
  /** The value or behaviour when unset; `required` when there is none. */
  readonly default: string;
  readonly secret: boolean;
}

const readers: readonly (readonly [VariableReader, Readonly<Record<string, Variable<unknown>>>])[] = [
  ['server', serverVariables],
  ['api', apiVariables],
  ['worker', workerVariables],
  ['cli', clientVariables],
];

const namedSecrets: VariableDescription = {
  name: 'WAYBILL_SECRET_…',
  readBy: 'server',
  meaning: 'The value of a secret named in the topology: `prod-write` is read from WAYBILL_SECRET_PROD_WRITE.',
  expected: 'username:password',
  default: 'a file of that name in WAYBILL_SECRETS_DIR',
  secret: true,
};

/** Every variable that Waybill reads, from the schemas that read them, for documentation and its check. */
export function describeVariables(): readonly VariableDescription[] {
  const rows = readers.flatMap(([readBy, variables]) => Object.values(variables).map((variable) => row(readBy, variable)));
  return [...rows, namedSecrets];
}

function row(readBy: VariableReader, variable: Variable<unknown>): VariableDescription {
  const { name, meaning, expected, whenUnset, secret } = variable;
  return { name, readBy, meaning, expected, default: whenUnset, secret };
}
