import { type ErrorFacts, WaybillError } from '@waybill/kernel';

/**
 * `config-invalid`: one or more variables are missing or malformed; `details.problems` has them all.
 * `secret-invalid`: a secret's name, file or value cannot be used as it is.
 */
export type ConfigErrorCode = 'config-invalid' | 'secret-invalid';

/** A configuration that cannot be run with. Never retryable: a person has to change something. */
export class ConfigError extends WaybillError<ConfigErrorCode> {
  constructor(message: string, facts: Omit<ErrorFacts<ConfigErrorCode>, 'retryable'>) {
    super(message, { ...facts, retryable: false });
  }
}

/** One variable that cannot be used. */
export interface ConfigProblem {
  readonly variable: string;
  /** What is wrong; quotes the value only when the variable never holds a secret. */
  readonly problem: string;
  /** What would be accepted. */
  readonly expected: string;
}

/** Says every problem at once, one per line, so that a deployment is repaired in one go. */
export function configInvalid(problems: readonly ConfigProblem[]): ConfigError {
  const lines = problems.map(({ variable, problem, expected }) => `  ${variable}: ${problem}; expected ${expected}`);
  return new ConfigError(`the environment cannot be used:\n${lines.join('\n')}`, {
    code: 'config-invalid',
    operation: 'read environment',
    details: { problems },
  });
}
