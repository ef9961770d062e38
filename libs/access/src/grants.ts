import { isLiteral, matchesPattern } from './pattern.js';

/** What a key may do; each route of the API declares one of these, or that it is public. */
export const verbs = [
  'promotions:create',
  'promotions:read',
  'promotions:cancel',
  'promotions:retry',
  'pauses:manage',
  'artifacts:read',
  'retention:read',
  'retention:run',
  'retention:approve',
  'retention:hold',
  'retention:restore',
  'retention:purge',
  'in-use:report',
  'topology:read',
  'topology:apply',
  'registries:locate',
  'registries:check',
  'registries:collect',
  'keys:manage',
  'metrics:read',
] as const;
export type Verb = (typeof verbs)[number];

/** Verbs × path × repository, both as patterns. */
export interface Grant {
  readonly verbs: readonly Verb[];
  /** Names of paths; `*` is every path. */
  readonly paths: readonly string[];
  /** Source repositories; `**` is every repository. */
  readonly repositories: readonly string[];
}

/** Everything, for the administrator's key. */
export const everything: readonly Grant[] = [{ verbs, paths: ['*'], repositories: ['**'] }];

/** What an action touches; a part that an action does not have is not asked. */
export interface ActionScope {
  readonly path?: string;
  readonly repository?: string;
}

/** Does one of the grants allow the verb on the whole scope? */
export function allows(grants: readonly Grant[], verb: Verb, scope: ActionScope = {}): boolean {
  return grants.some(
    (grant) => grant.verbs.includes(verb) && covers(grant.paths, scope.path) && covers(grant.repositories, scope.repository),
  );
}

/**
 * Do the grants hold all of `wanted`, so that whoever has them may hand it on? Each verb on each
 * pair of patterns must be in one grant. Patterns are compared by what they say: `a/*` is
 * not found in `a/?*`, though it lies within; the careful answer is no.
 */
export function holds(grants: readonly Grant[], wanted: Grant): boolean {
  return wanted.verbs.every((verb) =>
    wanted.paths.every((path) =>
      wanted.repositories.every((repository) => grants.some((grant) => includes(grant, verb, path, repository))),
    ),
  );
}

/** Do the grants hold every one of `wanted`? */
export function holdsAll(grants: readonly Grant[], wanted: readonly Grant[]): boolean {
  return wanted.every((grant) => holds(grants, grant));
}

function includes(grant: Grant, verb: Verb, path: string, repository: string): boolean {
  return (
    grant.verbs.includes(verb) &&
    grant.paths.some((held) => contains(held, path)) &&
    grant.repositories.some((held) => contains(held, repository))
  );
}

function contains(held: string, wanted: string): boolean {
  if (held === wanted || held === '**') return true;
  if (held === '*') return !wanted.includes('/') && wanted !== '**';
  return isLiteral(wanted) && matchesPattern(held, wanted);
}

function covers(patterns: readonly string[], name: string | undefined): boolean {
  return name === undefined || patterns.some((pattern) => matchesPattern(pattern, name));
}
