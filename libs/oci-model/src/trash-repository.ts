import { parseRepositoryName, type RepositoryName } from './reference.js';

/** Below it a registry holds what was deleted from its other repositories: nobody pushes there, and nothing is copied from there. */
export const trashPrefix = 'waybill-trash';

export function isTrashRepository(repository: string): boolean {
  return repository === trashPrefix || repository.startsWith(`${trashPrefix}/`);
}

/**
 * Where what is deleted from a repository is held meanwhile.
 * @throws ContentError `reference-invalid` when the name is too long for that
 */
export function trashRepositoryOf(repository: RepositoryName): RepositoryName {
  return parseRepositoryName(`${trashPrefix}/${repository}`);
}
