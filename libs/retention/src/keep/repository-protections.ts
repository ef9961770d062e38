import { roleMatrix } from '@waybill/topology';
import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { CompiledProtections } from '../protections.js';
import type { Reason } from '../reasons.js';
import type { RepositorySnapshot } from '../snapshot.js';

/** What keeps all of a repository: whose registry it is, what is not known of it, and who said so. */
export function repositoryProtections(
  snapshot: RepositorySnapshot,
  graph: ArtifactGraph,
  protections: CompiledProtections,
  now: number,
): readonly Reason[] {
  const { repository, knowledge } = snapshot;
  const deletion = roleMatrix[snapshot.role].deletion;
  const reasons: Reason[] = [];
  if (deletion === 'never' || deletion === 'its-own') reasons.push({ code: 'role-keeps' });
  if (crawlStart(snapshot, now) === undefined) reasons.push({ code: 'not-fully-crawled' });
  if (knowledge.unreadableManifests !== 0 || graph.tagged.includes(-1)) reasons.push({ code: 'unreadable-in-repository' });
  if (knowledge.isSuspect) reasons.push({ code: 'repository-suspect' });
  for (const id of protections.repositoryHolds.get(repository) ?? []) reasons.push({ code: 'hold', id });
  for (const id of protections.silentReporters(repository)) reasons.push({ code: 'reporter-silent', id });
  return reasons;
}

/** When the last whole crawl began; undefined when there was none, or one that is said to be yet to come. */
export function crawlStart({ knowledge }: RepositorySnapshot, now: number): number | undefined {
  const start = knowledge.lastFullCrawlStartedAt;
  return start !== 'none' && start <= now ? start : undefined;
}
