import type { Draft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';

/** No target stands twice in one list. */
export function duplicateTargets(draft: Draft): Finding[] {
  return [
    ...Object.entries(draft.paths).flatMap(([name, { to = [] }]) => duplicatesIn(to, ['paths', name, 'to'])),
    ...draft.replications.flatMap(({ to = [] }, index) => duplicatesIn(to, ['replications', index, 'to'])),
  ];
}

function duplicatesIn(names: readonly (string | undefined)[], base: DocumentPath): Finding[] {
  const seen = new Set<string>();
  return names.flatMap((name, index): Finding[] => {
    if (name === undefined) return [];
    if (seen.has(name)) {
      return [{ code: 'target-duplicate', message: `target ${quoted(name)} stands in this list twice`, path: [...base, index] }];
    }
    seen.add(name);
    return [];
  });
}
