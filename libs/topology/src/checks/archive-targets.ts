import type { Draft } from '../draft.js';
import { type Finding, listed, quoted } from '../finding.js';
import { own } from '../lookup.js';
import { writtenRules } from '../retention/written-rules.js';

/** A rule that archives has an archive to bring the artifact to; the only one goes without saying. */
export function archiveTargets(draft: Draft): Finding[] {
  const archives = Object.entries(draft.registries).flatMap(([name, { role }]) => (role === 'archive' ? [name] : []));
  return writtenRules(draft).flatMap(({ rule, path }): Finding[] => {
    if (rule.action !== 'archive') return [];
    if (!Object.hasOwn(rule, 'to')) {
      if (archives.length === 1) return [];
      return [{ code: 'archive-target', message: whyNotClear(archives), path: [...path, 'action'] }];
    }
    const role = rule.to === undefined ? undefined : own(draft.registries, rule.to)?.role;
    if (rule.to === undefined || role === undefined || role === 'archive') return [];
    const message = `only a registry of role "archive" is archived to; ${quoted(rule.to)} has the role ${quoted(role)}`;
    return [{ code: 'archive-target', message, path: [...path, 'to'] }];
  });
}

function whyNotClear(archives: readonly string[]): string {
  if (archives.length === 0) return 'there is nowhere to archive to: no registry has the role "archive"';
  return `there is more than one archive: say to which, "to" one of ${listed(archives)}`;
}
