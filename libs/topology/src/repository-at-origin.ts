import { parseRepositoryName, type RepositoryName } from '@waybill/oci-model';
import type { Registry } from './model.js';

/**
 * The name that the registry's origin knows a repository by: below the registry's prefix.
 * @throws ContentError `reference-invalid` when the two together are too long
 */
export function repositoryAtOrigin(registry: Pick<Registry, 'prefix'>, repository: RepositoryName): RepositoryName {
  return registry.prefix === undefined ? repository : parseRepositoryName(`${registry.prefix}/${repository}`);
}
