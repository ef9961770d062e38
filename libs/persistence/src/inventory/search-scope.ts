import type { Tables } from '../database.js';
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
function rangesOf({ visible, repository }: SearchScope): NameRange[] {
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

/** Where a page begins among repositories in the order of their names and registries. */
export interface RepositoryPosition {
  readonly id: bigint;
  readonly name: string;
  readonly registryId: string;
}

/** Undefined where there is no such repository: the page is the first then. */
export async function positionAt(tables: Tables, id: bigint | undefined): Promise<RepositoryPosition | undefined> {
  if (id === undefined) return undefined;
  const [row] = await tables.$queryRaw<{ name: string; registry_id: string }[]>`SELECT name, registry_id FROM repository WHERE id = ${id}`;
  return row === undefined ? undefined : { id, name: row.name, registryId: row.registry_id };
}

/** The ranges of names in which repositories are looked for from a position on. */
export function rangesFrom(scope: SearchScope, position: RepositoryPosition | undefined): NameRange[] {
  return rangesOf(scope).filter(({ until }) => position === undefined || until === undefined || until > position.name);
}

/**
 * Whether a repository `r` is within the range and not before the position. There is one lower bound, since PostgreSQL would begin to
 * read the index at either of two.
 */
export function isFrom(range: NameRange, position: RepositoryPosition | undefined, comparison: '>' | '>='): Prisma.Sql {
  const name = Prisma.sql`r.name`;
  if (position === undefined || position.name < range.from) return isWithin(name, range);
  const end = range.until === undefined ? Prisma.empty : Prisma.sql`AND r.name COLLATE "C" < ${range.until}`;
  return Prisma.sql`(r.name COLLATE "C", r.registry_id) ${Prisma.raw(comparison)} (${position.name}, ${position.registryId}::uuid) ${end}`;
}
