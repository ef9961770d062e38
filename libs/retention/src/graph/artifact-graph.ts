import { isReservedTag } from '@waybill/oci-model';
import { RetentionError } from '../retention-error.js';
import type { RepositorySnapshot, SnapshotManifest, SnapshotTag } from '../snapshot.js';
import { SparseLists } from '../sparse-lists.js';
import { ReservedSubjects } from './reserved-subjects.js';

/** From each number to others; most lead nowhere. */
export type Edges = Pick<SparseLists<number>, 'of' | 'has'>;

/**
 * A repository's manifests, numbered in the order of their digests, and what leads from one to the other.
 * Only what is in the repository has a number.
 */
export interface ArtifactGraph {
  readonly manifests: readonly SnapshotManifest[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly children: Edges;
  readonly parents: Edges;
  readonly subjects: Edges;
  /** By `subject`, referrers tag or cosign tag. */
  readonly referrers: Edges;
  /** By name, reserved ones too. */
  readonly tags: readonly SnapshotTag[];
  /** For each of the tags: the manifest's number; -1 when the snapshot lacks it. */
  readonly tagged: Int32Array;
  readonly isReserved: Uint8Array;
  /** Numbers of the user's tags, by manifest. */
  readonly userTags: Edges;
  /** It refers to something that is not in the repository. */
  readonly lacksSubject: Uint8Array;
}

/** @throws RetentionError `snapshot-invalid` when a digest or tag stands there twice */
export function buildGraph(snapshot: RepositorySnapshot): ArtifactGraph {
  const manifests = inOrderOf(snapshot.manifests, ({ digest }) => digest);
  const numbers = new Map<string, number>();
  for (let number = 0; number < manifests.length; number += 1) numbers.set(manifests[number]?.digest ?? '', number);
  const tags = inOrderOf(snapshot.tags, ({ name }) => name);
  refuseTwice(snapshot, 'digest', manifests.length - numbers.size);
  refuseTwice(snapshot, 'tag', tags.length - new Set(tags.map(({ name }) => name)).size);

  const tagged = Int32Array.from(tags, ({ digest }) => numbers.get(digest) ?? -1);
  const isReserved = Uint8Array.from(tags, ({ name }) => Number(isReservedTag(name)));
  const lacksSubject = new Uint8Array(manifests.length);
  const parts = { manifests, numbers, tags, tagged, isReserved, lacksSubject };
  return { ...parts, ...listings(parts), ...references(parts), userTags: userTagsOf(parts) };
}

type Parts = Pick<ArtifactGraph, 'manifests' | 'numbers' | 'tags' | 'tagged' | 'isReserved' | 'lacksSubject'>;

function listings({ manifests, numbers }: Parts): Pick<ArtifactGraph, 'children' | 'parents'> {
  const children = new SparseLists<number>(manifests.length);
  const parents = new SparseLists<number>(manifests.length);
  for (const [number, manifest] of manifests.entries()) {
    if (manifest.children.length === 0) continue;
    // What points at itself needs nothing but itself.
    const listed = manifest.children.map((digest) => numbers.get(digest) ?? number).sort((one, other) => one - other);
    for (const [at, child] of listed.entries()) {
      if (child === number || child === listed[at - 1]) continue;
      children.add(number, child);
      parents.add(child, number);
    }
  }
  return { children, parents };
}

function references({ manifests, numbers, tags, tagged, isReserved, lacksSubject }: Parts): Pick<ArtifactGraph, 'subjects' | 'referrers'> {
  const subjects = new SparseLists<number>(manifests.length);
  const referrers = new SparseLists<number>(manifests.length);
  const refer = (number: number, found: readonly number[]): void => {
    const others = found.filter((subject) => subject !== number);
    if (others.length === 0) lacksSubject[number] = 1;
    for (const subject of others) {
      subjects.add(number, subject);
      referrers.add(subject, number);
    }
  };
  for (const [number, { subject }] of manifests.entries()) {
    const found = subject === undefined ? undefined : numbers.get(subject);
    if (subject !== undefined) refer(number, found === undefined ? [] : [found]);
  }
  const reserved = new ReservedSubjects(numbers);
  for (const [at, { name }] of tags.entries()) {
    const number = tagged[at] ?? -1;
    if (isReserved[at] === 1 && number >= 0) refer(number, reserved.of(name));
  }
  return { subjects, referrers };
}

function userTagsOf({ manifests, tagged, isReserved }: Parts): SparseLists<number> {
  const userTags = new SparseLists<number>(manifests.length);
  for (const [at, number] of tagged.entries()) {
    if (number >= 0 && isReserved[at] === 0) userTags.add(number, at);
  }
  return userTags;
}

function refuseTwice({ registry, repository }: RepositorySnapshot, what: string, surplus: number): void {
  if (surplus === 0) return;
  throw new RetentionError(`the snapshot of ${registry}/${repository} holds a ${what} twice: nothing can be planned from it`, {
    code: 'snapshot-invalid',
    operation: 'plan retention',
  });
}

/** Whoever reads from an index has them in order, and to sort a million costs more than to look. */
function inOrderOf<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  let before = '';
  for (const item of items) {
    const key = keyOf(item);
    if (key < before) return items.toSorted((one, other) => compareText(keyOf(one), keyOf(other)));
    before = key;
  }
  return items;
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
