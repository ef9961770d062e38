import type { Draft, ReplicationDraft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';
import { own } from '../lookup.js';

/** Replication goes from a prod to its own replicas, and every replica is fed. */
export function replicationEdges(draft: Draft): Finding[] {
  return [...draft.replications.flatMap((replication, index) => edge(replication, index, draft)), ...unfedReplicas(draft)];
}

function edge({ from, to = [] }: ReplicationDraft, index: number, draft: Draft): Finding[] {
  const source = from === undefined ? undefined : own(draft.registries, from);
  if (from === undefined || source?.role === undefined) return [];
  if (source.role !== 'prod') {
    const message = `replication starts at a prod registry; ${quoted(from)} has the role ${quoted(source.role)}`;
    return [{ code: 'replication-source', message, path: ['replications', index, 'from'] }];
  }
  return to.flatMap((name, position): Finding[] => {
    const target = name === undefined ? undefined : own(draft.registries, name);
    if (name === undefined || target?.role === undefined) return [];
    const path = ['replications', index, 'to', position];
    if (target.role !== 'replica') {
      const message = `replication feeds replicas; ${quoted(name)} has the role ${quoted(target.role)}`;
      return [{ code: 'replication-target', message, path }];
    }
    if (target.of === undefined || target.of === from) return [];
    return [{ code: 'replication-source', message: `${quoted(name)} is a replica of ${quoted(target.of)}, not of ${quoted(from)}`, path }];
  });
}

function unfedReplicas(draft: Draft): Finding[] {
  const fed = new Set(draft.replications.flatMap(({ to = [] }) => to));
  return Object.entries(draft.registries).flatMap(([name, { role }]): Finding[] => {
    if (role !== 'replica' || fed.has(name)) return [];
    const message = `no replication feeds replica ${quoted(name)}: it stays empty`;
    return [{ code: 'replica-unfed', severity: 'warning', message, path: ['registries', name], at: 'key' }];
  });
}
