import type { ZodError } from 'zod';
import { type ConfigProblem, configInvalid } from './config-error.js';
import type { Environment, Variable } from './variable.js';

/** The values of a record of variables. */
export type Values<V extends Readonly<Record<string, Variable<unknown>>>> = {
  readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never;
};

/** A rule over several values; answers what is wrong, if anything. */
export type CrossCheck<T> = (values: T) => readonly ConfigProblem[];

/**
 * Reads every variable before it says anything, so that all problems are told at once.
 *
 * @throws ConfigError `config-invalid`
 */
export function readEnvironment<V extends Readonly<Record<string, Variable<unknown>>>>(
  env: Environment,
  variables: V,
  check: CrossCheck<Values<V>> = () => [],
): Values<V> {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries(variables)) {
    // Compose files write `${NAME:-}`, which sets an empty text where unset was meant.
    const raw = env[variable.name] === '' ? undefined : env[variable.name];
    const outcome = variable.schema.safeParse(raw);
    if (outcome.success) values[key] = outcome.data;
    else problems.push(problemOf(variable, raw, outcome.error));
  }
  if (problems.length > 0) throw configInvalid(problems);
  const complete = values as Values<V>;
  const contradictions = check(complete);
  if (contradictions.length > 0) throw configInvalid(contradictions);
  return complete;
}

function problemOf(variable: Variable<unknown>, raw: string | undefined, error: ZodError): ConfigProblem {
  const quoted = raw === undefined || variable.secret ? '' : `${JSON.stringify(raw.slice(0, 80))} `;
  return { variable: variable.name, problem: `${quoted}${sentence(error)}`, expected: variable.expected };
}

/** `schema.or(undefined)` fails as a union whose first branch knows the reason. */
function sentence(error: ZodError): string {
  const issue = error.issues[0];
  if (issue?.code === 'invalid_union') return issue.errors[0]?.[0]?.message ?? 'is malformed';
  return issue?.message ?? 'is malformed';
}
