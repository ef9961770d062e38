import type { Descriptor, Digest, RepositoryName, Tag } from '@waybill/oci-model';
import type { ExpectedDigest } from '../expected-digest.js';
import type { ItemTargetState, Requirement } from '../states.js';
import type { ContentOutcome } from './ports.js';

/** What one worker does of one promotion at one location, as the database gives it. */
export interface LocationRun {
  readonly promotionId: string;
  readonly location: string;
  /** The promotion's path, when the active topology has it no more. */
  readonly removedPath?: string;
  readonly items: readonly ItemRun[];
}

/** One item and its unfinished targets at the location. */
export interface ItemRun {
  readonly id: string;
  readonly source: { readonly registry: string; readonly repository: RepositoryName; readonly tag?: Tag };
  /** The source's name means another registry by now: nothing can be read in the name of the old one. */
  readonly isSourceReplaced: boolean;
  readonly digest: Digest;
  readonly targets: readonly TargetRun[];
}

export interface TargetRun {
  readonly id: string;
  readonly registry: string;
  /** The registry's name means another registry by now: nothing may be written in the name of the old one. */
  readonly isReplaced: boolean;
  readonly repository: RepositoryName;
  readonly requirement: Requirement;
  readonly state: ItemTargetState;
  /** Attempts that began, the coming one not counted. */
  readonly attempts: number;
  /** It waited for the prod that it follows: to go on is no further attempt. */
  readonly isWaiting: boolean;
  /** What an earlier attempt's copy did, where one was recorded; always known when the state is `tagging`. */
  readonly content?: ContentOutcome;
  /** The item-target of the prod that this replica follows. */
  readonly follows?: string;
  readonly tags: readonly TagRun[];
}

export interface TagRun {
  readonly tag: Tag;
  readonly expected: ExpectedDigest;
  readonly immutable: boolean;
}

/** What reading the target back has shown beneath the root. */
export interface VerifiedContent {
  readonly manifests: readonly VerifiedManifest[];
}

/** A manifest that was read back, without its bytes. */
export interface VerifiedManifest {
  readonly descriptor: BlobDescriptor;
  /** Manifests and blobs beneath it; foreign layers are not there. */
  readonly children: readonly BlobDescriptor[];
  readonly subject?: Digest;
}

type BlobDescriptor = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;
