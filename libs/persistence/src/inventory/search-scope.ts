import { Prisma } from '../generated/client.js';
import { intersection, isWithin, type NameRange, rangeOfTerm } from './name-range.js';
import type { VisibleRepositories } from './visible-repositories.js';

/** Where is searched. */
export interface SearchScope {
  /** Ids of registries. */
  readonly registries: readonly string[];
  readonly visible: VisibleRepositories;
  /** A name, or with a `*` at its end all that begin so. */
  readonly repository: string | undefined;
}

/** The ranges of names in which repositories are looked for. */
export function rangesOf({ visible, repository }: SearchScope): NameRange[] {
  if (repository === undefined) return [...visible.ranges];
  const wanted = rangeOfTerm(repository);
  return visible.ranges.flatMap((range) => intersection(range, wanted) ?? []);
}

/** Whether a repository is one of those. */
export function isInScope(
  { registries, visible, repository }: SearchScope,
  of: { readonly registry: Prisma.Sql; readonly name: Prisma.Sql },
): Prisma.Sql {
  const named = repository === undefined ? Prisma.empty : Prisma.sql`AND ${isWithin(of.name, rangeOfTerm(repository))}`;
  return Prisma.sql`${of.registry} = ANY(${[...registries]}::uuid[]) ${named} AND ${visible.has(of.name)}`;
}
