import { isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import { isCheckRepository } from './capabilities/check-content.js';
import type { Connection } from './connection.js';
import { listPages, pageSize } from './listing.js';
import { RepositoryList } from './schema.js';

/**
 * The registry's catalogue: `_catalog` is Distribution's and not in the specification, so
 * hosted registries often refuse it. Only names below the registry's prefix, without it, and not those of
 * our own checks, which Distribution goes on to list when they are empty.
 */
export function listRepositories(connection: Connection, signal?: AbortSignal): AsyncGenerator<RepositoryName> {
  const read = (json: unknown): readonly RepositoryName[] | undefined => {
    const { repositories } = RepositoryList.parse(json);
    if (!repositories.every(isRepositoryName)) return undefined;
    return repositories.flatMap((name) => connection.logicalName(name) ?? []).filter((name) => !isCheckRepository(name));
  };
  return listPages({ connection, first: `/v2/_catalog?n=${pageSize}`, kind: 'catalog', operation: 'list repositories', read }, signal);
}
