import picomatch from 'picomatch';

/** What a key may do; each route of the API declares one of these, or that it is public. */
export const verbs = [
  'promotions:create',
  'promotions:read',
  'artifacts:read',
  'topology:read',
  'topology:apply',
  'registries:locate',
  'keys:manage',
] as const;
export type Verb = (typeof verbs)[number];

/** Verbs × path × repository. Globs; `**` crosses `/`. */
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

function covers(globs: readonly string[], name: string | undefined): boolean {
  // Braces, brackets and negation are not part of the grammar: a grant must mean what it seems to say.
  return (
    name === undefined ||
    picomatch.isMatch(name, [...globs], { dot: true, nobrace: true, nobracket: true, noextglob: true, nonegate: true })
  );
}
