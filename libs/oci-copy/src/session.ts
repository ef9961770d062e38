import type { ContentReader, Digest, Tag } from '@waybill/oci-model';
import pLimit, { type LimitFunction } from 'p-limit';
import type { CopyError } from './copy-error.js';
import { HoldUp } from './hold-up.js';
import { KnownBlobs } from './known-blobs.js';
import { ManifestSource } from './manifest-source.js';
import type { Settings } from './options.js';
import { CosignTags, isTagReader } from './referrers/cosign-tags.js';
import type { RequestContext } from './request.js';

/** Blobs that are probed and mounted ahead of the transfers, as a multiple of those. */
const lookAhead = 4;
/** Blobs that are remembered to be lost. */
const maxLost = 1_000;

/** How much is done at a time. */
export interface Lane {
  /** Transfers under way. */
  readonly transfers: LimitFunction;
  /** Blobs looked after, those in transfer included. */
  readonly ahead: LimitFunction;
}

/** What all copies to one target share. Slots and lane are the target's own: one that hangs takes none from the others. */
export interface TargetState {
  readonly blobs: KnownBlobs;
  readonly holdUp: HoldUp;
  /** For what the target does alone. */
  readonly lane: Lane;
  readonly slots: { readonly blobs: LimitFunction; readonly manifests: LimitFunction };
}

/** What all copies of one call share: its source, its limits, and what is known of blobs. */
export class CopySession {
  /** For what targets do together. */
  readonly lane: Lane;
  /** Where cosign's tags at the source are found; absent when the source has no tags. */
  readonly cosignTags: CosignTags | undefined;

  readonly #sourceSlots: LimitFunction;
  readonly #lostBlobs = new Map<Digest, CopyError>();
  readonly #targets = new Map<string, TargetState>();

  /** `knownTags` are all of cosign's tags at the source, when they have been listed already. */
  constructor(
    readonly source: ContentReader,
    readonly settings: Settings,
    knownTags?: ReadonlySet<Tag>,
  ) {
    this.lane = laneOf(settings);
    this.#sourceSlots = pLimit(settings.manifestsInParallel);
    this.cosignTags = isTagReader(source) ? new CosignTags(source, this.sourceContext, knownTags) : undefined;
  }

  /** Under what small requests to the source are made. */
  get sourceContext(): RequestContext {
    const { settings } = this;
    return { settings, signal: settings.signal, limit: this.#sourceSlots, retries: settings.retries };
  }

  /** Remembers a blob that the source cannot give: reading it for the next graph that names it would end the same. */
  noteLoss(digest: Digest, error: CopyError): void {
    const isLoss = error.code === 'source-corrupt' || error.code === 'source-missing';
    if (isLoss && this.#lostBlobs.size < maxLost) this.#lostBlobs.set(digest, error);
  }

  /** Why the source cannot give a blob; undefined when it has not shown that yet. */
  lossOf(digest: Digest): CopyError | undefined {
    return this.#lostBlobs.get(digest);
  }

  /** The source's manifests, with a memory of its own. */
  manifests(): ManifestSource {
    return new ManifestSource(this.source, { side: 'source' }, this.sourceContext);
  }

  target(id: string): TargetState {
    const known = this.#targets.get(id);
    if (known !== undefined) return known;
    const { manifestsInParallel, holdUpMs } = this.settings;
    const made = {
      blobs: new KnownBlobs(),
      holdUp: new HoldUp(holdUpMs),
      lane: laneOf(this.settings),
      slots: { blobs: pLimit(manifestsInParallel), manifests: pLimit(manifestsInParallel) },
    };
    this.#targets.set(id, made);
    return made;
  }
}

function laneOf({ blobsInParallel }: Settings): Lane {
  return { transfers: pLimit(blobsInParallel), ahead: pLimit(blobsInParallel * lookAhead) };
}
