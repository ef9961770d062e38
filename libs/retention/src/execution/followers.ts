import { type Digest, isReservedTag, subjectOf, type Tag } from '@waybill/oci-model';
import { ReservedSubjects } from '../graph/reserved-subjects.js';
import { condemnedPages } from './mark-repository.js';
import type { ExecutionPorts } from './ports.js';

/** Something that was deleted with what it refers to, and the reserved tags by which it does, as signatures of cosign. */
export interface Follower {
  readonly digest: Digest;
  readonly tags: readonly Tag[];
}

/** Of what a run has deleted, by subject: what refers to it. A list of referrers is left out: whoever pushes those keeps it. */
export async function followersIn(
  ports: Pick<ExecutionPorts, 'records'>,
  deleted: ReadonlySet<Digest>,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, readonly Follower[]>> {
  const followers = new Map<Digest, Follower[]>();
  const follow = (subject: Digest, follower: Follower): void => {
    const known = followers.get(subject);
    if (known === undefined) followers.set(subject, [follower]);
    else known.push(follower);
  };
  for (const digest of deleted) {
    const manifest = await ports.records.manifestOf(digest);
    const subject = manifest === undefined ? undefined : subjectOf(manifest);
    if (subject !== undefined) follow(subject, { digest, tags: [] });
  }
  const digests = [...deleted];
  const subjects = new ReservedSubjects(new Map(digests.map((digest, number) => [digest, number])));
  for await (const page of condemnedPages(ports, signal)) {
    for (const { digest, tag } of page) {
      if (tag === '' || !deleted.has(digest) || !isReservedTag(tag) || isList(tag)) continue;
      for (const number of subjects.of(tag)) {
        const subject = digests[number];
        if (subject !== undefined) follow(subject, { digest, tags: [tag] });
      }
    }
  }
  return followers;
}

/** distribution-spec v1.1.1, "Referrers Tag Schema": a list has no suffix. */
function isList(tag: Tag): boolean {
  return !tag.includes('.');
}
