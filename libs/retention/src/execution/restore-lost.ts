import { childrenOf, type Digest, type Tag } from '@waybill/oci-model';
import type { RepositorySnapshot } from '../snapshot.js';
import type { ExecutionPorts } from './ports.js';

/**
 * Looks at the repository once more, and brings back what somebody pushed on in the moment in which it was deleted: what an index lists
 * that is there now, and what a tag was written on. Gives what was restored.
 */
export async function restoreLost(ports: ExecutionPorts, signal: AbortSignal): Promise<readonly Digest[]> {
  const { records, fresh } = ports;
  const deleted = new Set((await records.marks()).filter(({ state }) => state === 'deleted').map(({ digest }) => digest));
  if (deleted.size === 0) return [];
  const snapshot = await fresh.look(signal);
  const lost = new Map<Digest, Tag[]>();
  for (const digest of listedAndDeleted(snapshot, deleted)) lost.set(digest, []);
  for (const { digest, tag } of await records.pushedMeanwhile()) {
    if (deleted.has(digest)) lost.set(digest, [...(lost.get(digest) ?? []), tag]);
  }
  const restoring = new Restoring(ports, signal);
  for (const [digest, tags] of lost) await restoring.restore(digest, tags);
  return restoring.restored;
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
    const manifest = await records.manifestOf(digest);
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
