import { isReservedTag, isTag, isRepositoryName, isTrashRepository } from '@waybill/oci-model';
import { matchesGlob } from './glob.js';
import type { PromotionPath } from './model.js';
import { matchesTagExpression } from './tag-expression.js';
import { applyTemplate, parseTemplate } from './template.js';

/** Whether a path may carry something; `reason` is a sentence for the one who asked. */
export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

/**
 * May this tag of this repository go along the path? Asked for the source repository
 * (relative to the source's prefix) and for each tag at the target.
 */
export function admits(path: PromotionPath, repository: string, tag: string): Admission {
  if (!isRepositoryName(repository)) return refused(`${shown(repository)} is not a repository name`);
  if (!matchesGlob(path.repositories, repository, 'repository')) {
    return refused(`path "${path.name}" does not carry repository "${repository}": it carries ${listed(path.repositories)}`);
  }
  if (isTrashRepository(repository)) return refused(`"${repository}" holds what was deleted: have it restored first`);
  if (!isTag(tag)) return refused(`${shown(tag)} is not a tag`);
  if (isReservedTag(tag)) return refused(`"${tag}" is a reserved tag: referrers and signatures travel with their subject`);
  if (!matchesTagExpression(path.tags, tag)) {
    return refused(`path "${path.name}" does not carry tag "${tag}": tags must match ${path.tags}`);
  }
  const template = parseTemplate(path.target);
  if (!template.ok || !isRepositoryName(applyTemplate(template.segments, { registry: path.from, repository }))) {
    return refused(`target ${JSON.stringify(path.target)} of path "${path.name}" makes no repository name of "${repository}"`);
  }
  return { admitted: true };
}

function refused(reason: string): Admission {
  return { admitted: false, reason };
}

function listed(globs: readonly string[]): string {
  const some = globs.slice(0, 5).map((glob) => `"${glob}"`);
  return globs.length > some.length ? `${some.join(', ')} and ${globs.length - some.length} more` : some.join(', ');
}

function shown(text: string): string {
  return JSON.stringify(text.length > 150 ? `${text.slice(0, 150)}…` : text);
}
