import type { Draft, PolicyDraft } from '../draft.js';
import { parseDuration } from '../duration.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';

/** Warns of policies that give up what saves people from their own mistakes. */
export function boldPolicies(draft: Draft): Finding[] {
  return draft.retention.flatMap((policy, index) => {
    const path = ['retention', index];
    return [...shortGrace(policy, path), ...openLimits(policy, path)];
  });
}

const shortestGraceMs = 3_600_000;

function shortGrace({ grace }: PolicyDraft, path: DocumentPath): Finding[] {
  const text = grace?.markFor;
  const ms = text === undefined ? undefined : parseDuration(text);
  if (text === undefined || ms === undefined || ms >= shortestGraceMs) return [];
  const message = `a grace of ${quoted(text)} leaves nobody the time to object: 1h is the least that is of use`;
  return [{ code: 'grace-short', severity: 'warning', message, path: [...path, 'grace', 'markFor'] }];
}

function openLimits({ mode, limits }: PolicyDraft, path: DocumentPath): Finding[] {
  const percent = limits?.maxDeletePercent;
  if (mode !== 'enforce' || (percent !== 100 && percent !== '100%')) return [];
  const message = 'a limit of 100 % is none: one run may remove everything that a registry holds';
  return [{ code: 'limits-open', severity: 'warning', message, path: [...path, 'limits', 'maxDeletePercent'] }];
}
