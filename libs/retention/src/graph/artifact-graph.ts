import { isReservedTag } from '@waybill/oci-model';
import { RetentionError } from '../retention-error.js';
import type { RepositorySnapshot, SnapshotManifest, SnapshotTag } from '../snapshot.js';
import { Adjacency } from './adjacency.js';
import { ReservedSubjects } from './reserved-subjects.js';

/**
 * A repository's manifests, numbered in the order of their digests, and what leads from one to the other.
 * Only what is in the repository has a number.
 */
export interface ArtifactGraph {
  readonly manifests: readonly SnapshotManifest[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly children: Adjacency;
  readonly parents: Adjacency;
  readonly subjects: Adjacency;
  /** By `subject`, referrers tag or cosign tag. */
  readonly referrers: Adjacency;
  /** By name, reserved ones too. */
  readonly tags: readonly SnapshotTag[];
  /** For each of the tags: the manifest's number; -1 when the snapshot lacks it. */
  readonly tagged: Int32Array;
  readonly isReserved: Uint8Array;
  /** Numbers of the user's tags, by manifest. */
  readonly userTags: Adjacency;
  /** It refers to something that is not in the repository. */
  readonly lacksSubject: Uint8Array;
}

/** @throws RetentionError `snapshot-invalid` when a digest or tag stands there twice */
export function buildGraph(snapshot: RepositorySnapshot): ArtifactGraph {
  const manifests = snapshot.manifests.toSorted((one, other) => compareText(one.digest, other.digest));
  const numbers = new Map(manifests.map(({ digest }, number) => [digest, number]));
  const tags = snapshot.tags.toSorted((one, other) => compareText(one.name, other.name));
  refuseTwice(snapshot, 'digest', manifests.length - numbers.size);
  refuseTwice(snapshot, 'tag', tags.length - new Set(tags.map(({ name }) => name)).size);

  const tagged = Int32Array.from(tags, ({ digest }) => numbers.get(digest) ?? -1);
  const isReserved = Uint8Array.from(tags, ({ name }) => Number(isReservedTag(name)));
  const listings = childPairs(manifests, numbers);
  const lacksSubject = new Uint8Array(manifests.length);
  const references = subjectPairs({ manifests, numbers, tags, tagged, isReserved, lacksSubject });
  const size = manifests.length;
  return {
    manifests,
    numbers,
    children: Adjacency.of(size, listings.froms, listings.targets),
    parents: Adjacency.of(size, listings.targets, listings.froms),
    subjects: Adjacency.of(size, references.froms, references.targets),
    referrers: Adjacency.of(size, references.targets, references.froms),
    tags,
    tagged,
    isReserved,
    userTags: userTagsOf(size, tagged, isReserved),
    lacksSubject,
  };
}

interface Pairs {
  readonly froms: number[];
  readonly targets: number[];
}

function childPairs(manifests: readonly SnapshotManifest[], numbers: ReadonlyMap<string, number>): Pairs {
  const pairs: Pairs = { froms: [], targets: [] };
  for (const [number, { children }] of manifests.entries()) {
    for (const digest of children) {
      const child = numbers.get(digest);
      // What points at itself needs nothing but itself.
      if (child !== undefined && child !== number) addPair(pairs, number, child);
    }
  }
  return pairs;
}

type Parts = Pick<ArtifactGraph, 'manifests' | 'numbers' | 'tags' | 'tagged' | 'isReserved' | 'lacksSubject'>;

function subjectPairs({ manifests, numbers, tags, tagged, isReserved, lacksSubject }: Parts): Pairs {
  const pairs: Pairs = { froms: [], targets: [] };
  const refer = (number: number, subjects: readonly number[]): void => {
    const others = subjects.filter((subject) => subject !== number);
    if (others.length === 0) lacksSubject[number] = 1;
    for (const subject of others) addPair(pairs, number, subject);
  };
  for (const [number, { subject }] of manifests.entries()) {
    const target = subject === undefined ? undefined : numbers.get(subject);
    if (subject !== undefined) refer(number, target === undefined ? [] : [target]);
  }
  const reserved = new ReservedSubjects(numbers);
  for (const [at, { name }] of tags.entries()) {
    const number = tagged[at] ?? -1;
    if (isReserved[at] === 1 && number >= 0) refer(number, reserved.of(name));
  }
  return pairs;
}

function addPair({ froms, targets }: Pairs, from: number, target: number): void {
  froms.push(from);
  targets.push(target);
}

function userTagsOf(size: number, tagged: Int32Array, isReserved: Uint8Array): Adjacency {
  const pairs: Pairs = { froms: [], targets: [] };
  for (const [at, number] of tagged.entries()) {
    if (number < 0 || isReserved[at] === 1) continue;
    addPair(pairs, number, at);
  }
  return Adjacency.of(size, pairs.froms, pairs.targets);
}

function refuseTwice({ registry, repository }: RepositorySnapshot, what: string, surplus: number): void {
  if (surplus === 0) return;
  throw new RetentionError(`the snapshot of ${registry}/${repository} holds a ${what} twice: nothing can be planned from it`, {
    code: 'snapshot-invalid',
    operation: 'plan retention',
  });
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
