import { parse, type SemVer } from 'semver';
import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { SnapshotManifest, SnapshotTag } from '../snapshot.js';

/** Types of what notation, cosign and sigstore push as a signature; other referrers say nothing about being signed. */
const signatureTypes = [
  'application/vnd.cncf.notary.signature',
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.dev.sigstore.bundle',
];

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

  get isSigned(): boolean {
    return this.facts.isSigned;
  }
}

export interface CandidateFacts {
  readonly isSigned: boolean;
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
export function candidatesOf(graph: ArtifactGraph): Candidates {
  const { manifests, tags, tagged, isReserved } = graph;
  const all: Candidate[] = [];
  const ofTag = new Int32Array(tags.length).fill(-1);
  const ofUntagged = new Int32Array(manifests.length).fill(-1);
  const facts = factsOf(graph);
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

function factsOf(graph: ArtifactGraph): (number: number) => CandidateFacts {
  const signed = signedArtifacts(graph);
  const shared = [false, true].map((isSigned) => [false, true].map((isCounted): CandidateFacts => ({ isSigned, isCounted })));
  return (number) => {
    const facts = shared[signed[number] ?? 0]?.[Number(standsAlone(graph, number))];
    return facts ?? { isSigned: false, isCounted: false };
  };
}

function signedArtifacts({ manifests, subjects, tags, tagged, isReserved }: ArtifactGraph): Uint8Array {
  const signed = new Uint8Array(manifests.length);
  const markSubjects = (number: number): void => {
    for (const subject of subjects.of(number)) signed[subject] = 1;
  };
  for (const [number, { artifactType }] of manifests.entries()) {
    if (artifactType !== undefined && signatureTypes.some((type) => artifactType.startsWith(type))) markSubjects(number);
  }
  for (const [at, { name }] of tags.entries()) {
    const number = tagged[at] ?? -1;
    if (number >= 0 && isReserved[at] === 1 && name.endsWith('.sig')) markSubjects(number);
  }
  return signed;
}
