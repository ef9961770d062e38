import { copyGraph, type CopyTarget, verifyGraph } from '@waybill/oci-copy';
import { isReservedTag, type RepositoryName, type Tag } from '@waybill/oci-model';
import type { RegistryClient, RepositoryClient } from '@waybill/oci-registry';
import { type ArchivePort, type Departing, isListOfReferrers } from '@waybill/retention';

/** Manifests kept in memory of one artifact, in bytes. */
const manifestCacheBytes = 16 * 1024 * 1024;
/** Letters of a digest that tell two artifacts of one tag apart. */
const told = 12;
const longestTag = 128;

export interface ArchiveCopyOptions {
  readonly repository: RepositoryName;
  readonly source: RepositoryClient;
  /** Rejects with WaybillError when the registry cannot be reached. */
  readonly open: (registry: string) => Promise<RegistryClient>;
}

/**
 * Brings what is about to be deleted to the registries that are to keep it, with everything that refers to it, and reads it back there.
 * A tag that names something else there stays where it is: the digest gets one of its own.
 */
export class ArchiveCopy implements ArchivePort {
  readonly #options: ArchiveCopyOptions;

  constructor(options: ArchiveCopyOptions) {
    this.#options = options;
  }

  /** Rejects with CopyError or ContentError. */
  async hold(departing: Departing, to: readonly string[], signal: AbortSignal): Promise<void> {
    // Whoever writes referrers keeps their list.
    if (isListOfReferrers(departing.manifest, departing.tags)) return;
    const { open, repository } = this.#options;
    for (const registry of to) {
      await this.#holdAt({ id: registry, store: (await open(registry)).repository(repository) }, departing, signal);
    }
  }

  async #holdAt(
    { id, store }: CopyTarget & { readonly store: RepositoryClient },
    departing: Departing,
    signal: AbortSignal,
  ): Promise<void> {
    const { digest, manifest, tags } = departing;
    const options = { signal, manifestCacheBytes, referrers: 'all' } as const;
    const { targets } = await copyGraph(this.#options.source, digest, [{ id, store }], options);
    const report = targets.get(id);
    if (report === undefined || report.outcome === 'failed' || report.outcome === 'cancelled') {
      throw report?.error ?? new TypeError('no report');
    }
    const lost = report.referrers.find(({ outcome }) => outcome === 'failed' || outcome === 'conflict' || outcome === 'cancelled');
    if (lost !== undefined && 'error' in lost) throw lost.error;
    await verifyGraph(store, digest, { target: id, signal, presentBlobs: report.presentBlobs });
    for (const tag of tags.filter((each) => !isReservedTag(each))) {
      const named = await store.resolveTag(tag, signal);
      if (named === undefined) await store.putTag(tag, manifest, signal);
      else if (named !== digest) await store.putTag(ownTag(tag, digest), manifest, signal);
    }
  }
}

function ownTag(tag: Tag, digest: string): Tag {
  const hex = digest.slice(digest.indexOf(':') + 1).slice(0, told);
  return `${tag.slice(0, longestTag - told - 1)}.${hex}` as Tag;
}
