import type { WaybillError } from '@waybill/kernel';
import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import type { Outcome } from '../states.js';
import type { ItemRun, TargetRun, VerifiedContent } from './run.js';

export interface CopiedBytes {
  readonly bytesCopied: number;
  readonly bytesMounted: number;
  readonly bytesSkipped: number;
}

/** How the content beneath a tag came to be at a target. */
export type ContentOutcome = 'copied' | 'mounted' | 'already-present';

/** How the content of an item came to one target. */
export type CopyOutcome = CopiedBytes &
  (
    | {
        readonly outcome: ContentOutcome;
        /** Blobs whose presence this run has proven. */
        readonly presentBlobs: ReadonlySet<Digest>;
      }
    | { readonly outcome: 'failed' | 'cancelled'; readonly error: WaybillError }
  );

export interface CopyOptions {
  readonly beforeManifest: (targetId: string, manifest: Manifest) => Promise<void>;
  readonly onSettled: (targetId: string, outcome: CopyOutcome) => void;
  readonly signal: AbortSignal;
}

/** Port: brings content from the source to targets of one location. */
export interface ContentCopier {
  /**
   * Copies the item's graph to all `targets`; one target's failure is its own outcome.
   * `beforeManifest` is awaited before each manifest is sent. `onSettled` is called once for each target, as soon as
   * nothing more is done there, whatever is still under way at the others.
   * Resolves when all targets have settled. Rejects only when the source root cannot be read.
   */
  copy(item: ItemRun, targets: readonly TargetRun[], options: CopyOptions): Promise<void>;
  /** Reads every manifest beneath the item's root back from the target and proves every blob. Rejects when anything is missing. */
  verify(item: ItemRun, target: TargetRun, presentBlobs: ReadonlySet<Digest>, signal: AbortSignal): Promise<VerifiedContent>;
  /** Does the target give this manifest out, whole? Trouble rejects: unknown is not absent. */
  holdsManifest(target: TargetRun, digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Where the item's source tag points now; undefined when it is gone. */
  resolveSourceTag(item: ItemRun, tag: Tag, signal: AbortSignal): Promise<Digest | undefined>;
  resolveTargetTag(target: TargetRun, tag: Tag, signal: AbortSignal): Promise<Digest | undefined>;
  /** Makes the target's tag name the item's root, which is there. */
  putTargetTag(item: ItemRun, target: TargetRun, tag: Tag, signal: AbortSignal): Promise<void>;
}

/**
 * Port: the durable record of a run. Every method is fenced: it rejects with
 * PromotionError `lease-lost` and changes nothing once another worker took over.
 */
export interface RunJournal {
  /**
   * Raises `attempts`, but of those that only waited, and moves targets that are not yet `tagging` to `copying`.
   * Those that a pause covers are held instead, without an attempt: gives their ids.
   */
  beginAttempt(targets: readonly TargetRun[]): Promise<ReadonlySet<string>>;
  /** Keeps a target that met a pause on its way, and gives its attempt back: to wait is no failure. */
  holdBack(target: TargetRun): Promise<void>;
  /** `copying` → `verifying`, with what the copy did. */
  recordCopy(target: TargetRun, content: ContentOutcome, bytes: CopiedBytes): Promise<void>;
  /** The source tag no longer names the pinned digest; recorded once per item. */
  recordSourceMove(item: ItemRun, found: Digest | undefined): Promise<void>;
  /** Write-ahead: the manifest is about to be sent to the target. */
  intendManifest(target: TargetRun, manifest: Manifest): Promise<void>;
  /** `verifying` → `attesting`: settles the manifest effects from what was read back and notes what is where. */
  settleContent(target: TargetRun, content: VerifiedContent): Promise<void>;
  advance(target: TargetRun, to: 'tagging'): Promise<void>;
  /** May this target be tagged yet? A replica follows its prod, and is noted as waiting while that is not done. */
  readinessToTag(target: TargetRun): Promise<TagReadiness>;
  /** Takes the tag's lease if this target's turn has come, and neither a pause nor a cancellation stands before it. */
  acquireTag(target: TargetRun, tag: Tag): Promise<TagTurn>;
  /** The target was unreachable at request: what it holds now becomes what is expected. */
  adoptExpected(target: TargetRun, tag: Tag, seen: Digest | undefined): Promise<void>;
  /** Write-ahead: the tag is about to be written. Rejects with PromotionError `paused` or `cancelled` when it must not be any more. */
  intendTag(target: TargetRun, tag: Tag, digest: Digest, previous: Digest | undefined): Promise<void>;
  /** Gives the tag's lease up when nothing was sent under it. */
  releaseTag(target: TargetRun, tag: Tag): Promise<void>;
  /** Settles the tag from what was read back, and gives its lease up; `superseded` settles no effect, since nothing was read. */
  settleTag(target: TargetRun, tag: Tag, digest: Digest, result: TagResult): Promise<void>;
  /** Effects on the target that were intended and not settled. */
  unsettledEffects(target: TargetRun): Promise<readonly UnsettledEffect[]>;
  /** Ends the target, and settles the effects that were read back. */
  finish(target: TargetRun, ending: TargetEnding): Promise<void>;
  /** Keeps the target for another attempt after `delayMs`. */
  retryLater(target: TargetRun, error: WaybillError, delayMs: number, bytes: CopiedBytes): Promise<void>;
  /**
   * Ends the whole promotion as `rejected`: every open target is cancelled and the runs at other locations lose their leases.
   * False, and nothing changed, when a target has arrived or a tag was perhaps written already.
   */
  reject(reason: WaybillError, readBack: readonly EffectReadBack[]): Promise<boolean>;
}

/** A durable change whose fate the journal does not know. */
export type UnsettledEffect = { readonly id: string; readonly digest: Digest } & (
  { readonly kind: 'manifest' } | { readonly kind: 'tag'; readonly tag: Tag }
);

/** What the target holds where an effect was to change it. */
export interface EffectReadBack {
  readonly effectId: string;
  /** The manifest's digest, or what the tag names; undefined when it is absent. */
  readonly found: Digest | undefined;
}

export type TagReadiness =
  | { readonly ready: true }
  /** The prod it follows is not there yet; this run is called again when it is. */
  | { readonly ready: false; readonly wait: true }
  | { readonly ready: false; readonly wait: false; readonly outcome: 'failed' | 'superseded' | 'cancelled'; readonly reason: string };

export type TagTurn =
  | {
      readonly turn: 'ours';
      /** Milliseconds until the lease ends; the write's deadline must end before. */
      readonly leaseMs: number;
      /** What an earlier release of ours wrote to this tag last, if that was after what is expected was read. */
      readonly writtenSince: Digest | undefined;
      /** What other releases of ours were about to write to this tag when they broke off: nobody has recorded yet what became of that. */
      readonly begun: readonly BegunWrite[];
      /** An attempt before this one recorded that it would write this tag. */
      readonly intendedBefore: boolean;
      /** What became of that is recorded already: whatever the tag holds now, it is not written a second time. */
      readonly settledBefore: boolean;
    }
  | { readonly turn: 'held'; readonly retryAfterMs: number }
  | { readonly turn: 'superseded' }
  /** A pause covers the target; or the promotion was cancelled. */
  | { readonly turn: 'paused' }
  | { readonly turn: 'cancelled' };

/** A write of another release whose fate nobody knows; where the tag holds its digest, it has happened. */
export interface BegunWrite {
  readonly digest: Digest;
  /** Its turn comes after ours. */
  readonly isNewer: boolean;
}

export type TagResult =
  | { readonly outcome: 'written' }
  | { readonly outcome: 'already-present' }
  | { readonly outcome: 'superseded' }
  /** Another writer's digest was found, before our write or after it. */
  | { readonly outcome: 'conflict'; readonly found: Digest | undefined; readonly afterWrite: boolean };

export interface TargetEnding extends CopiedBytes {
  readonly outcome: Outcome;
  readonly error?: WaybillError;
  /** What the target holds where effects of ours were open at its end; what is not in it stays open, for all to see. */
  readonly readBack?: readonly EffectReadBack[];
}
