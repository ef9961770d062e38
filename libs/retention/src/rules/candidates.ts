import { parse, type SemVer } from 'semver';
import type { Verdict } from '../compile/artifact-match.js';
import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { RepositoryKnowledge, SnapshotManifest, SnapshotTag } from '../snapshot.js';
import { signaturesOf } from './signatures.js';

/** What rules are asked about: an artifact under one of its user's tags, or one that nothing names. */
export class Candidate {
  #version: SemVer | null | undefined;

  constructor(
    readonly number: number,
    readonly manifest: SnapshotManifest,
    readonly tag: SnapshotTag | undefined,
    readonly facts: CandidateFacts,
  ) {}

  /** The tag as a version, with or without a leading `v`. */
  get version(): SemVer | undefined {
    if (this.#version === undefined) this.#version = versionOf(this.tag);
    return this.#version ?? undefined;
  }

  get signed(): Verdict {
    return this.facts.signed;
  }
}

export interface CandidateFacts {
  /** Unknown where something may sign it that nobody has read. */
  readonly signed: Verdict;
  /** Nobody's child and nobody's referrer: it counts. What does not count never takes the place of what does. */
  readonly isCounted: boolean;
}

export interface Candidates {
  readonly all: readonly Candidate[];
  /** Places in `all`, by tag; -1 for reserved tags and for tags without a manifest. */
  readonly ofTag: Int32Array;
  /** Place in `all`, by manifest, of what no tag names and nothing lists or refers from; -1 for others. */
  readonly ofUntagged: Int32Array;
}

/** Most tags are no versions, and to parse what is none takes as long as an exception. */
const versionLike = /^v?\d+\.\d+\.\d/;

function versionOf(tag: SnapshotTag | undefined): SemVer | null {
  return tag !== undefined && versionLike.test(tag.name) ? parse(tag.name) : null;
}

/** Children and referrers without a user's tag are no candidates: they follow. */
export function candidatesOf(graph: ArtifactGraph, { referrersKnownOf }: Pick<RepositoryKnowledge, 'referrersKnownOf'>): Candidates {
  const { manifests, tags, tagged, isReserved } = graph;
  const all: Candidate[] = [];
  const ofTag = new Int32Array(tags.length).fill(-1);
  const ofUntagged = new Int32Array(manifests.length).fill(-1);
  const facts = factsOf(graph, referrersKnownOf);
  const add = (number: number, tag: SnapshotTag | undefined): number => {
    const manifest = manifests[number];
    if (manifest === undefined) return -1;
    return all.push(new Candidate(number, manifest, tag, facts(number))) - 1;
  };
  for (const [at, tag] of tags.entries()) {
    if (isReserved[at] === 0) ofTag[at] = add(tagged[at] ?? -1, tag);
  }
  for (let number = 0; number < manifests.length; number += 1) {
    if (!graph.userTags.has(number) && standsAlone(graph, number)) ofUntagged[number] = add(number, undefined);
  }
  return { all, ofTag, ofUntagged };
}

/** A logical artifact has a user's tag, or is neither listed by an index nor refers to anything. */
export function isLogical(graph: ArtifactGraph, number: number): boolean {
  return graph.userTags.has(number) || standsAlone(graph, number);
}

function standsAlone({ parents, subjects, lacksSubject }: ArtifactGraph, number: number): boolean {
  return !parents.has(number) && !subjects.has(number) && lacksSubject[number] === 0;
}

/** One object for each combination: most candidates are alike. */
function factsOf(graph: ArtifactGraph, known: RepositoryKnowledge['referrersKnownOf']): (number: number) => CandidateFacts {
  const signatures = signaturesOf(graph);
  const shared = new Map<string, CandidateFacts>();
  return (number) => {
    const isCounted = standsAlone(graph, number);
    const found = signatures(number);
    const signed = found === 'no' && known === 'tagged' && !graph.userTags.has(number) ? 'unknown' : found;
    const key = `${signed} ${isCounted}`;
    const facts = shared.get(key) ?? { signed, isCounted };
    shared.set(key, facts);
    return facts;
  };
}
