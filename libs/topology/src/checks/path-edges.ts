import type { Draft, PathDraft } from '../draft.js';
import { type Finding, listed, quoted } from '../finding.js';
import { own } from '../lookup.js';
import { mayFeed, type Role, roleMatrix } from '../roles.js';

/** Each path leads from a registry to others, along an edge of the role matrix. */
export function pathEdges(draft: Draft): Finding[] {
  return Object.entries(draft.paths).flatMap(([name, path]) => [...pathToItself(name, path), ...forbiddenEdges(name, path, draft)]);
}

function pathToItself(name: string, { from, to = [] }: PathDraft): Finding[] {
  return to.flatMap((target, index): Finding[] => {
    if (target === undefined || target !== from) return [];
    return [
      {
        code: 'path-to-itself',
        message: `path ${quoted(name)} leads from ${quoted(target)} to itself`,
        path: ['paths', name, 'to', index],
      },
    ];
  });
}

function forbiddenEdges(name: string, { from, to = [] }: PathDraft, draft: Draft): Finding[] {
  const source = from === undefined ? undefined : own(draft.registries, from)?.role;
  if (from === undefined || source === undefined) return [];
  if (roleMatrix[source].feeds.length === 0) {
    return [{ code: 'role-forbids', message: whyNoSource(from, source), path: ['paths', name, 'from'] }];
  }
  return to.flatMap((target, index): Finding[] => {
    const role = target === undefined || target === from ? undefined : own(draft.registries, target)?.role;
    if (target === undefined || role === undefined || mayFeed(source, role)) return [];
    return [{ code: 'role-forbids', message: whyNoEdge(target, role, source), path: ['paths', name, 'to', index] }];
  });
}

function whyNoSource(name: string, role: Role): string {
  if (role === 'sandbox') return `nothing leaves a sandbox, so ${quoted(name)} can be no source`;
  return `a registry of role ${quoted(role)} feeds nothing, so ${quoted(name)} can be no source`;
}

function whyNoEdge(name: string, role: Role, source: Role): string {
  if (role === 'upstream' || role === 'cache') return `${quoted(name)} has the role ${quoted(role)}, which is never a target`;
  if (role === 'replica') return `${quoted(name)} is a replica: it is fed by replication of its prod, not by paths`;
  return `${quoted(name)} has the role ${quoted(role)}; a registry of role ${quoted(source)} may feed ${listed(roleMatrix[source].feeds)}`;
}
