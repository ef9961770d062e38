/** What a registry is for. */
export const roles = ['sandbox', 'ci-tests', 'ci-snapshots', 'staging', 'prod', 'replica', 'archive', 'cache', 'upstream'] as const;
export type Role = (typeof roles)[number];

/** Who or what may delete from a registry of the role. */
export type Deletion = 'anyone' | 'retention' | 'as-its-prod' | 'explicit-rule' | 'its-own' | 'never';

/** Which tags a role protects when its registry says nothing; `never-written` where we write no tags at all. */
export type TagDefault = 'none' | 'semver' | 'all' | 'as-its-prod' | 'never-written';

export interface RoleRules {
  /** Roles that a path may lead to from here. */
  readonly feeds: readonly Role[];
  /** Roles that a path may lead here from. Replication of a prod to its replicas is no path. */
  readonly fedBy: readonly Role[];
  readonly immutableTags: TagDefault;
  readonly deletion: Deletion;
}

/**
 * The role matrix. A topology can only narrow `feeds` and `fedBy`, by declaring fewer paths;
 * no key widens them. `immutableTags` is a default that a registry may replace.
 */
export const roleMatrix: Readonly<Record<Role, RoleRules>> = {
  sandbox: { feeds: [], fedBy: [], immutableTags: 'none', deletion: 'anyone' },
  'ci-tests': { feeds: ['ci-snapshots', 'staging', 'prod'], fedBy: [], immutableTags: 'none', deletion: 'retention' },
  'ci-snapshots': { feeds: ['staging', 'prod'], fedBy: ['ci-tests'], immutableTags: 'none', deletion: 'retention' },
  staging: { feeds: ['prod'], fedBy: ['ci-tests', 'ci-snapshots', 'archive'], immutableTags: 'semver', deletion: 'retention' },
  prod: {
    feeds: ['archive'],
    fedBy: ['ci-tests', 'ci-snapshots', 'staging', 'archive'],
    immutableTags: 'all',
    deletion: 'retention',
  },
  replica: { feeds: [], fedBy: [], immutableTags: 'as-its-prod', deletion: 'as-its-prod' },
  archive: { feeds: ['staging', 'prod'], fedBy: ['upstream', 'prod'], immutableTags: 'all', deletion: 'explicit-rule' },
  cache: { feeds: [], fedBy: [], immutableTags: 'never-written', deletion: 'its-own' },
  upstream: { feeds: ['archive'], fedBy: [], immutableTags: 'never-written', deletion: 'never' },
};

/** May a path lead from a registry of the one role to a registry of the other? */
export function mayFeed(from: Role, to: Role): boolean {
  return roleMatrix[from].feeds.includes(to) && roleMatrix[to].fedBy.includes(from);
}
