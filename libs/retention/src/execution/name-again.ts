import type { Digest, Tag } from '@waybill/oci-model';
import type { ExecutionPorts } from './ports.js';
import { readIfThere } from './read-if-there.js';

export interface NamedAgain {
  /** What has a tag back. */
  readonly named: readonly Digest[];
  /** Tags that stay away, and of which nobody knows why. */
  readonly missing: readonly Tag[];
}

/**
 * Gives tags back what they were seen to name last: only while that is still there, and where nobody is known to have taken them away.
 * Whoever deletes something by its digest takes its tags on purpose, so nothing is ever pushed for them.
 */
export async function nameAgain(
  { records, registry }: Pick<ExecutionPorts, 'records' | 'registry'>,
  missed: ReadonlyMap<Tag, Digest>,
  signal: AbortSignal,
): Promise<NamedAgain> {
  const named = new Set<Digest>();
  const missing: Tag[] = [];
  for (const [tag, digest] of missed) {
    if ((await registry.resolveTag(tag, signal)) !== undefined) continue;
    const manifest = await readIfThere(registry, digest, signal);
    // A purge is written down before it deletes: asked after the manifest was read, one that has begun is seen.
    const taken = await records.takenAway({ tag, digest });
    if (manifest === undefined || taken !== undefined) {
      if (taken !== 'known') missing.push(tag);
      continue;
    }
    await records.restoring(digest, [tag]);
    await registry.putTag(tag, manifest, signal);
    await records.restored(digest, [tag]);
    named.add(digest);
  }
  return { named: [...named], missing };
}
