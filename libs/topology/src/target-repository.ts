import { isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import type { PromotionPath } from './model.js';
import { applyTemplate, parseTemplate } from './template.js';
import { TopologyError } from './topology-error.js';

/**
 * Where a path brings a source repository: the path's template applied to it.
 * Names are relative to the registries' prefixes, on both sides.
 * @throws TopologyError `target-invalid` when no repository name comes out, e.g. `{namespace}` of `app`
 */
export function targetRepository(
  path: PromotionPath,
  source: { readonly registry: string; readonly repository: RepositoryName },
): RepositoryName {
  const template = parseTemplate(path.target);
  const name = template.ok ? applyTemplate(template.segments, source) : '';
  if (isRepositoryName(name)) return name;
  throw new TopologyError(
    `target ${JSON.stringify(path.target)} of path "${path.name}" makes no repository name of "${source.repository}"`,
    {
      code: 'target-invalid',
      operation: 'name target repository',
      details: { path: path.name, repository: source.repository },
    },
  );
}
