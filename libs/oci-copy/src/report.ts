import type { Digest, Manifest } from '@waybill/oci-model';
import type { CopyError } from './copy-error.js';

/** How the copy of one graph went. */
export interface CopyReport {
  readonly root: Manifest;
  /** By target id, in the order of the call. */
  readonly targets: ReadonlyMap<string, TargetReport>;
  /** Foreign layers in the graph; they stay references and are never copied. */
  readonly foreignLayers: number;
}

/** What was done at one target; after a failure, what was done before it. */
export interface TargetCounts {
  /** Of blobs; bytes of a repeated upload count once. */
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

export type TargetReport = TargetOutcome & TargetCounts;
