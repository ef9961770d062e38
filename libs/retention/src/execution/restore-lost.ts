import { childrenOf, type Digest, type Tag } from '@waybill/oci-model';
import type { RepositorySnapshot } from '../snapshot.js';
import { type Follower, followersIn } from './followers.js';
import { nameAgain } from './name-again.js';
import type { ExecutionPorts, LostPush, Restored } from './ports.js';
import type { TagsVanished } from './push-watch.js';
import { readIfThere } from './read-if-there.js';

/**
 * Looks at the repository once more, and brings back what somebody pushed on in the moment in which it was deleted: what an index lists
 * that is there now, and what a tag was written on, as others told, each with what refers to it. A tag of which nobody told names again
 * what it did before. `vanished` is what was seen of tags while it was deleted.
 */
export async function restoreLost(ports: ExecutionPorts, vanished: TagsVanished, signal: AbortSignal): Promise<Restored> {
  const { records, fresh } = ports;
  const deleted = new Set((await records.marks()).filter(({ state }) => state === 'deleted').map(({ digest }) => digest));
  if (deleted.size === 0) return { restored: [], missing: [] };
  const snapshot = await fresh.look(signal);
  const lost = new Map<Digest, Tag[]>();
  for (const digest of listedAndDeleted(snapshot, deleted)) lost.set(digest, []);
  const noted = await records.pushedMeanwhile();
  const told = toldOf(noted, deleted);
  for (const [tag, digest] of told) lost.set(digest, [...(lost.get(digest) ?? []), tag]);
  const restoring = new Restoring(ports, signal);
  for (const [digest, tags] of lost) await restoring.restore(digest, tags);
  if (restoring.restored.length > 0) await restoreFollowers(restoring, await followersIn(ports, deleted, signal));
  const missed = missedOf(noted, vanished);
  for (const tag of told.keys()) missed.delete(tag);
  const { named, missing } = await nameAgain(ports, missed, signal);
  return { restored: [...restoring.restored, ...named], missing };
}

/** What was deleted with something that came back, since it refers to that, comes back too: signatures, attestations, and what is about those. */
async function restoreFollowers(restoring: Restoring, followers: ReadonlyMap<Digest, readonly Follower[]>): Promise<void> {
  // What follows is added to what was restored, and followed in turn.
  for (const subject of restoring.restored) {
    for (const { digest, tags } of followers.get(subject) ?? []) await restoring.restore(digest, tags);
  }
}

/** Where tags were written that are gone, as others told: only that puts a tag onto what was deleted. */
function toldOf(noted: readonly LostPush[], deleted: ReadonlySet<Digest>): ReadonlyMap<Tag, Digest> {
  return new Map(noted.flatMap(({ tag, digest, was }) => (was === 'pushed' && deleted.has(digest) ? [[tag, digest] as const] : [])));
}

/** What tags named that are gone. What was seen between two deletions knows more than looks before and after all. */
function missedOf(noted: readonly LostPush[], { lost, removed }: TagsVanished): Map<Tag, Digest> {
  const missed = new Map<Tag, Digest>();
  for (const { tag, digest, was } of noted) if (was === 'there' && !removed.has(tag)) missed.set(tag, digest);
  for (const [tag, digest] of lost) missed.set(tag, digest);
  return missed;
}

function* listedAndDeleted({ manifests }: RepositorySnapshot, deleted: ReadonlySet<Digest>): Generator<Digest> {
  const present = new Set(manifests.map(({ digest }) => digest));
  for (const { children } of manifests) {
    for (const child of children as readonly Digest[]) if (deleted.has(child) && !present.has(child)) yield child;
  }
}

class Restoring {
  readonly restored: Digest[] = [];
  readonly #ports: ExecutionPorts;
  readonly #signal: AbortSignal;
  readonly #seen = new Set<Digest>();

  constructor(ports: ExecutionPorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  /** Children first: registries refuse an index whose manifests they lack. A tag that names something by now is left there. */
  async restore(digest: Digest, tags: readonly Tag[]): Promise<void> {
    const { records, registry } = this.#ports;
    const kept = await records.manifestOf(digest);
    const manifest = kept ?? (tags.length === 0 ? undefined : await readIfThere(registry, digest, this.#signal));
    if (manifest === undefined) return;
    if (!this.#seen.has(digest)) {
      this.#seen.add(digest);
      for (const child of childrenOf(manifest).manifests) await this.restore(child.digest, []);
    }
    const missing: Tag[] = [];
    for (const tag of tags) if ((await registry.resolveTag(tag, this.#signal)) === undefined) missing.push(tag);
    const isThere = await registry.hasManifest(digest, this.#signal);
    if (isThere && missing.length === 0) return;
    await records.restoring(digest, missing);
    if (!isThere) await registry.pushManifest(manifest, this.#signal);
    for (const tag of missing) await registry.putTag(tag, manifest, this.#signal);
    await records.restored(digest, missing);
    this.restored.push(digest);
  }
}
