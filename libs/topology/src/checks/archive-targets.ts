import type { Draft } from '../draft.js';
import { type Finding, listed, quoted } from '../finding.js';
import { own } from '../lookup.js';
import { type WrittenRule, writtenRules } from '../retention/written-rules.js';

/** A rule that archives has another registry to bring the artifact to, which is an archive; the only one goes without saying. */
export function archiveTargets(draft: Draft): Finding[] {
  const archives = Object.entries(draft.registries).flatMap(([name, { role }]) => (role === 'archive' ? [name] : []));
  return writtenRules(draft).flatMap((written) => {
    if (written.rule.action !== 'archive') return [];
    return Object.hasOwn(written.rule, 'to') ? named(written, draft) : unnamed(written, archives);
  });
}

function named({ rule: { to }, policy, path }: WrittenRule, { registries }: Draft): Finding[] {
  const role = to === undefined ? undefined : own(registries, to)?.role;
  if (to === undefined || role === undefined) return [];
  const at = [...path, 'to'];
  if (to === policy.registry) return [{ code: 'archive-target', message: `${quoted(to)} cannot archive to itself`, path: at }];
  if (role === 'archive') return [];
  const message = `only a registry of role "archive" is archived to; ${quoted(to)} has the role ${quoted(role)}`;
  return [{ code: 'archive-target', message, path: at }];
}

function unnamed({ policy, path }: WrittenRule, archives: readonly string[]): Finding[] {
  const others = archives.filter((name) => name !== policy.registry);
  if (archives.length === 1 && others.length === 1) return [];
  const message =
    others.length === 0
      ? 'there is nowhere to archive to: no other registry has the role "archive"'
      : `there is more than one archive: say to which, "to" ${others.length === 1 ? '' : 'one of '}${listed(others)}`;
  return [{ code: 'archive-target', message, path: [...path, 'action'] }];
}
