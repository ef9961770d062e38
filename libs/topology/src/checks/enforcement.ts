import type { Draft } from '../draft.js';
import type { DocumentPath, Finding } from '../finding.js';

/** No code deletes anything yet, so no policy may say that it does. */
export function enforcement(draft: Draft): Finding[] {
  const ofRegistries = Object.entries(draft.registries).flatMap(([name, { retention, wipe }]): [string | undefined, DocumentPath][] => [
    [typeof retention === 'object' ? retention.mode : undefined, ['registries', name, 'retention', 'mode']],
    [wipe?.mode, ['registries', name, 'wipe', 'mode']],
  ]);
  const ofPolicies = draft.retention.map(({ mode }, index): [string | undefined, DocumentPath] => [mode, ['retention', index, 'mode']]);
  return [...ofRegistries, ...ofPolicies].flatMap(([mode, path]): Finding[] =>
    mode === 'enforce' ? [{ code: 'not-implemented', message: 'enforce is not built yet; dryRun plans', path }] : [],
  );
}
