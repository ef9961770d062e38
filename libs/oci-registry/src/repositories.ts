import { isRepositoryName, type RepositoryName } from '@waybill/oci-model';
import type { Connection } from './connection.js';
import { listPages, pageSize } from './listing.js';
import { RepositoryList } from './schema.js';

/**
 * The registry's catalogue: `_catalog` is Distribution's and not in the specification, so
 * hosted registries often refuse it. Only names below the registry's prefix, without it.
 */
export function listRepositories(connection: Connection, signal?: AbortSignal): AsyncGenerator<RepositoryName> {
  const read = (json: unknown): readonly RepositoryName[] | undefined => {
    const { repositories } = RepositoryList.parse(json);
    return repositories.every(isRepositoryName) ? repositories.flatMap((name) => connection.logicalName(name) ?? []) : undefined;
  };
  return listPages({ connection, first: `/v2/_catalog?n=${pageSize}`, kind: 'catalog', operation: 'list repositories', read }, signal);
}
