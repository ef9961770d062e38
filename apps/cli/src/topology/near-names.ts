import { nearest } from '@waybill/topology';
import { ApiProblem, nearWords } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';

/** What a person named, and may have misspelt. */
export interface Named {
  readonly path?: string | undefined;
  readonly registry?: string | undefined;
  readonly repository?: string | undefined;
}

/**
 * Why nothing may have been found under these names: a path or registry that the active topology does not have, a repository
 * with its registry before it. A path that is gone may still have a history, so that it is no mistake to name it.
 */
export async function whyNothing(api: Pick<WaybillApi, 'topology'>, { path, registry, repository }: Named): Promise<string[]> {
  if (path === undefined && registry === undefined && repository === undefined) return [];
  const known = await namesOf(api);
  if (known === undefined) return [];
  const [first = '', ...rest] = repository?.split('/') ?? [];
  const isQualified = rest.length > 0 && known.registries.includes(first);
  return [
    ...unknown('path', path, known.paths),
    ...unknown('registry', registry, known.registries),
    ...(isQualified ? [`a repository is named without its registry: ${rest.join('/')}`] : []),
  ];
}

function unknown(what: string, name: string | undefined, names: readonly string[]): string[] {
  if (name === undefined || names.includes(name)) return [];
  return [`the topology has no ${what} "${name}"`, ...nearWords(nearest(name, names)).map((line) => `  ${line}`)];
}

/** Undefined where there is no topology, or the key may not read it. */
async function namesOf(
  api: Pick<WaybillApi, 'topology'>,
): Promise<{ readonly paths: readonly string[]; readonly registries: readonly string[] } | undefined> {
  try {
    const { paths, registries } = await api.topology();
    return { paths: paths.map(({ name }) => name), registries: registries.map(({ name }) => name) };
  } catch (error) {
    if (error instanceof ApiProblem) return undefined;
    throw error;
  }
}
