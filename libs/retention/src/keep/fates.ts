import type { Condemnation } from '../compile/compile-policy.js';
import type { Reason } from '../reasons.js';
import type { Judgement } from '../rules/judge-candidates.js';
import type { SparseLists } from '../sparse-lists.js';
import { artifactProtections, type Protecting, tagProtections } from './artifact-protections.js';
import { KeepClosure, type Rollback } from './keep-closure.js';
import { repositoryProtections } from './repository-protections.js';

/** What the rules and protections make of a candidate, before anything else is asked. */
export type Fate = 'stays' | 'loses-tag' | 'goes';

/** All that decisions are made of. */
export interface Fates {
  readonly ofRepository: readonly Reason[];
  readonly ofArtifacts: SparseLists<Reason>;
  readonly ofTags: SparseLists<Reason>;
  /** By place among the candidates. */
  readonly fates: readonly Fate[];
  readonly closure: KeepClosure;
}

/** Decides what is kept. Everything else is removed, and hangs on a condemned artifact. */
export function decideFates(protecting: Protecting, judgements: readonly Judgement[]): Fates {
  const { snapshot, graph, candidates, protections, moment } = protecting;
  const ofRepository = repositoryProtections(snapshot, graph, protections, moment.now);
  const ofArtifacts = artifactProtections(protecting);
  const ofTags = tagProtections(protecting);
  const fates = judgements.map((judgement, place): Fate => {
    const number = candidates.all[place]?.number ?? 0;
    return ofRepository.length > 0 || ofArtifacts.has(number) ? 'stays' : fateBy(judgement);
  });
  for (const [at, place] of candidates.ofTag.entries()) {
    if (place >= 0 && ofTags.has(at)) fates[place] = 'stays';
  }
  const closure = new KeepClosure(graph, rollbacksOf(protecting, fates));
  keepSeeds(protecting, { ofRepository, ofArtifacts, fates, closure });
  return { ofRepository, ofArtifacts, ofTags, fates, closure };
}

/** The strongest of what condemns it; a digest is taken only where something more than its tag was to go. */
export function fateBy({ keeps, removals }: Judgement): Fate {
  if (keeps.length > 0 || removals.length === 0) return 'stays';
  return removals.some(({ action }: Condemnation) => action !== 'untag') ? 'goes' : 'loses-tag';
}

function keepSeeds(
  { graph, candidates }: Protecting,
  { ofRepository, ofArtifacts, fates, closure }: Pick<Fates, 'ofRepository' | 'ofArtifacts' | 'fates' | 'closure'>,
): void {
  for (const [place, { number }] of candidates.all.entries()) {
    if (fates[place] !== 'goes') closure.keep(number);
  }
  for (let number = 0; number < graph.manifests.length; number += 1) {
    if (ofRepository.length > 0 || ofArtifacts.has(number)) closure.keep(number);
  }
  keepUncondemned({ graph, candidates }, closure);
}

/**
 * What hangs on nothing condemned is kept, though nothing keeps it: things that only point at each other,
 * which digests forbid and tags of signatures do not.
 */
function keepUncondemned({ graph, candidates }: Pick<Protecting, 'graph' | 'candidates'>, closure: KeepClosure): void {
  const condemned = new Set(candidates.all.map(({ number }) => number).filter((number) => !closure.isKept(number)));
  // A set is walked to its end though it grows on the way.
  for (const number of condemned) {
    for (const child of graph.children.of(number)) condemned.add(child);
    for (const referrer of graph.referrers.of(number)) condemned.add(referrer);
  }
  for (let number = 0; number < graph.manifests.length; number += 1) {
    if (!condemned.has(number)) closure.keep(number);
  }
}

/** Earlier digests of the tags that stay on a manifest, as deep as any policy wants them. */
function rollbacksOf({ graph, candidates, policies }: Protecting, fates: readonly Fate[]): (number: number) => readonly Rollback[] {
  const depth = Math.max(0, ...policies.map(({ protect }) => protect.rollbackDepth));
  if (depth === 0) return () => [];
  return (number) => {
    const rollbacks: Rollback[] = [];
    for (const at of graph.userTags.of(number)) {
      const tag = graph.tags[at];
      const place = candidates.ofTag[at] ?? -1;
      if (tag === undefined || fates[place] === 'loses-tag') continue;
      const earlier = new Set(tag.history.filter((digest) => digest !== tag.digest));
      for (const digest of [...earlier].slice(0, depth)) {
        const back = graph.numbers.get(digest);
        if (back !== undefined) rollbacks.push({ earlier: back, tag: tag.name });
      }
    }
    return rollbacks;
  };
}
