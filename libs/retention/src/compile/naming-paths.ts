import type { PromotionPath } from '@waybill/topology';
import { compileExpression } from './artifact-match.js';
import { compileRepositoryGlobs } from './glob.js';

/** Literals, and one of several: without repetition, classes of characters and what is optional. */
const enumeration = /^(?:[\w|()^$.-]|\(\?:|\\[.-])+$/;

/**
 * Names of the paths that depend on a tag of a repository: those whose expression names tags one by one, as `latest|stable` does.
 * An expression for any number of tags says what may be promoted, not what must be there.
 * @throws RetentionError `pattern-invalid`
 */
export function namingPaths(paths: readonly PromotionPath[]): (repository: string, tag: string) => readonly string[] {
  const naming = paths
    .filter(({ tags }) => enumeration.test(tags))
    .map(({ name, repositories, tags }) => ({ name, covers: compileRepositoryGlobs(repositories), expression: compileExpression(tags) }));
  return (repository, tag) =>
    naming.filter(({ covers, expression }) => covers(repository) && expression.testExact(tag)).map(({ name }) => name);
}
