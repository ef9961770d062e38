import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import type { CopyError } from './copy-error.js';

/** How the copy of one graph went. */
export interface CopyReport {
  readonly root: Manifest;
  /** By target id, in the order of the call. */
  readonly targets: ReadonlyMap<string, TargetReport>;
  /** Foreign layers in the graph; they stay references and are never copied. */
  readonly foreignLayers: number;
  /** Manifests whose referrers could not be listed at the source; empty when no referrers were asked for. */
  readonly unlisted: readonly UnlistedSubject[];
}

/** A manifest of which it is not known what refers to it: unknown is not none. */
export interface UnlistedSubject {
  readonly subject: Digest;
  readonly error: CopyError;
}

/** Something that refers to a manifest, by its subject or by a tag of cosign's. */
export interface FoundReferrer {
  readonly referrer: Digest;
  /** The manifest that it was found by. */
  readonly subject: Digest;
  /** Absent when the manifest could not be read. */
  readonly artifactType?: string;
  /** Cosign's tags that name it; empty when only its subject leads to it. */
  readonly tags: readonly Tag[];
  readonly required: boolean;
}

export type ReferrerOutcome =
  | { readonly outcome: 'copied' | 'already-present' }
  /**
   * `conflict`: one of its tags names something else at the target, with layers that the source's lacks, and was left alone.
   * `failed`: the first error. `cancelled`: unfinished when the target failed or the caller's signal came.
   */
  | { readonly outcome: 'conflict' | 'failed' | 'cancelled'; readonly error: CopyError };

export type ReferrerReport = FoundReferrer & ReferrerOutcome;

/** What was done at one target; after a failure, what was done before it. */
export interface TargetCounts {
  /** Of blobs, those of referrers included; bytes of a repeated upload count once. */
  readonly bytesCopied: number;
  readonly bytesMounted: number;
  readonly bytesSkipped: number;
  readonly blobs: { readonly copied: number; readonly mounted: number; readonly skipped: number };
  readonly manifests: { readonly copied: number; readonly skipped: number };
  /** Blobs proven in this run: committed by us, or a byte of them was read. */
  readonly presentBlobs: ReadonlySet<Digest>;
}

export type TargetOutcome =
  /**
   * `already-present`: nothing was written; `mounted`: blobs were mounted and none was copied;
   * `copied`: anything else was written, be it only a manifest or a tag.
   */
  | { readonly outcome: 'copied' | 'mounted' | 'already-present' }
  /** The first error that ended the target's copy. */
  | { readonly outcome: 'failed'; readonly error: CopyError }
  /** Unfinished when the caller's signal came. */
  | { readonly outcome: 'cancelled'; readonly error: CopyError };

/** The target's outcome is that of the root and of the required referrers; the others have only their own. */
export type TargetReport = TargetOutcome & TargetCounts & { readonly referrers: readonly ReferrerReport[] };
