import { trashPrefix } from '@waybill/oci-model';
import type { Draft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';

/** Nobody may name the repositories that hold what was deleted: nothing is copied from there, to there, or deleted there by a policy. */
export function reservedRepositories(draft: Draft): Finding[] {
  return mentions(draft).flatMap(([name, path]): Finding[] => {
    if (name !== trashPrefix && name?.startsWith(`${trashPrefix}/`) !== true) return [];
    const message = `${quoted(name)} is where Waybill holds what was deleted: take another name`;
    return [{ code: 'repository-reserved', message, path }];
  });
}

type Mention = readonly [name: string | undefined, path: DocumentPath];

function mentions({ registries, paths, replications, retention }: Draft): Mention[] {
  return [
    ...Object.entries(registries).map(([name, { prefix }]): Mention => [prefix, ['registries', name, 'prefix']]),
    ...Object.entries(paths).flatMap(([name, { repositories, target }]) => [
      ...listed(repositories, ['paths', name, 'repositories']),
      [target, ['paths', name, 'target']] as const,
    ]),
    ...replications.flatMap(({ repositories }, index) => listed(repositories, ['replications', index, 'repositories'])),
    ...retention.flatMap(({ repositories }, index) => ofPolicy(repositories, ['retention', index, 'repositories'])),
  ];
}

function listed(names: readonly (string | undefined)[] = [], path: DocumentPath): Mention[] {
  return names.map((name, index) => [name, [...path, index]]);
}

/** What a policy leaves out it may name. */
function ofPolicy(selection: Draft['retention'][number]['repositories'], path: DocumentPath): Mention[] {
  if (selection === undefined) return [];
  if (isList(selection)) return listed(selection, path);
  // A selection that lacks what it includes is refused elsewhere.
  return 'include' in selection ? listed(selection.include, [...path, 'include']) : [];
}

function isList(selection: object): selection is readonly (string | undefined)[] {
  return Array.isArray(selection);
}
