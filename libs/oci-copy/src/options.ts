import {
  type ContentStore,
  type Descriptor,
  type Digest,
  isReservedTag,
  type Manifest,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';
import { invalidArguments } from './copy-error.js';
import type { TargetReport } from './report.js';

/** A place that a graph is brought to. */
export interface CopyTarget {
  /** Unique in the call; names the target in reports, hooks and errors. */
  readonly id: string;
  /** Where to write; also asked for mounts when it is a `BlobMounter`. */
  readonly store: ContentStore;
  /** Written last and in this order, after the whole graph is there. A tag that names the root already is left alone. */
  readonly tags?: readonly Tag[];
  /** Repositories of the same origin, by their names there, that may hold the blobs, likeliest first; at most three are asked. */
  readonly mountFrom?: readonly RepositoryName[];
}

export interface ManifestEvent {
  readonly target: string;
  readonly manifest: Manifest;
  readonly isRoot: boolean;
}

export interface BlobEvent {
  readonly target: string;
  /** Media type, digest and size only. */
  readonly blob: Descriptor;
}

export interface TagEvent {
  readonly target: string;
  /** One of the target's own, or a reserved one that cosign attaches a referrer by. */
  readonly tag: Tag;
  readonly manifest: Manifest;
}

export interface BytesGiven {
  /** Since the last call. */
  readonly bytes: number;
  /** Since this upload of the blob began. */
  readonly done: number;
}

/**
 * Progress, provenance, policy and bandwidth limits attach here. Hooks are awaited;
 * one that rejects fails the target it was called for and no other.
 */
export interface CopyHooks {
  /** Only when the manifest will be pushed. */
  beforeManifest?(event: ManifestEvent): Promise<void> | void;
  afterManifest?(event: ManifestEvent & { readonly outcome: 'copied' | 'already-present' }): Promise<void> | void;
  afterBlob?(event: BlobEvent & { readonly outcome: 'copied' | 'mounted' | 'already-present' }): Promise<void> | void;
  /**
   * Bytes handed to a target's upload. Synchronous, and called often.
   * An upload that is tried again counts again: the sum of `bytes` may exceed the blob's size, `done` begins anew.
   */
  onBytes?(event: BlobEvent & BytesGiven): void;
  /** Only when the tag will be written. */
  beforeTag?(event: TagEvent): Promise<void> | void;
  afterTag?(event: TagEvent): Promise<void> | void;
}

/** Bounds on a graph, so that a hostile or broken one costs little. */
export interface GraphBounds {
  /** Manifests in one graph, the root included; default 10 000. */
  readonly maxManifests?: number;
  /** Levels of manifests, the root included; default 16. */
  readonly maxDepth?: number;
  /** Descriptors in all manifests together; default 100 000. */
  readonly maxDescriptors?: number;
  /** Manifest bytes kept in memory; beyond it manifests are read again when they are pushed. Default 64 MiB. */
  readonly manifestCacheBytes?: number;
}

/**
 * What is brought along of what refers to a graph: manifests that name one of the graph's as their subject,
 * those that cosign's tags (`sha256-<hex>.sig`, `.att`, `.sbom`) attach to it, and what refers to these in turn.
 * An artifact type is the manifest's own, or its config's media type (distribution-spec v1.1.1, "Listing Referrers");
 * what a tag attaches has the media types of its layers as well.
 */
export interface ReferrerRules {
  /** Artifact types to bring; default `all`. */
  readonly include?: 'all' | readonly string[];
  /**
   * Artifact types without which a target is not complete: at least one of each must be found, and all that are found
   * must arrive before a tag is written. Default none: a referrer that fails is reported, and the rest goes on.
   */
  readonly required?: 'all' | readonly string[];
  /** Referrers that must be found and arrive, whatever their type. */
  readonly pinned?: readonly Digest[];
}

export type ReferrerSelection = 'none' | 'all' | ReferrerRules;

export interface ReferrerOptions {
  /** Default `none`. */
  readonly referrers?: ReferrerSelection;
  /** Referrers of one graph that are brought; more end the copy with `graph-too-large`. Default 1 000. */
  readonly maxReferrers?: number;
}

/** How patient the engine is with its stores. */
export interface Patience {
  /** How long the source may keep all targets waiting without progress; default 30 000. */
  readonly stallTimeoutMs?: number;
  /**
   * How long one target may keep others waiting in the call, all in all; every MiB that it takes gives it a second
   * back. Then it goes on alone, with reads of its own, at the pace of its own. Default 5 000.
   */
  readonly holdUpMs?: number;
  /** Further tries of a read from the source, an upload or a manifest after a failure that may pass; default 2. */
  readonly retries?: number;
  /** Milliseconds before try `n` (1 is the first further one); by default jittered, short and doubling. */
  readonly retryDelayMs?: (n: number) => number;
  /** The longest wait that a store may ask for before the failure is given to the caller instead; default 5 000. */
  readonly maxRetryDelayMs?: number;
}

export interface CopyOptions extends GraphBounds, Patience, ReferrerOptions {
  readonly hooks?: CopyHooks;
  readonly signal?: AbortSignal;
  /**
   * Told of each target once, as soon as nothing more is done there, whatever still goes on at the others.
   * Must not throw. Not told of a call that rejects.
   */
  readonly onSettled?: (target: string, report: TargetReport) => void;
  /** Blobs in transfer at a time, for all targets together and for each that goes on alone; default 4. */
  readonly blobsInParallel?: number;
  /** Small requests at a time, per store, for manifests and for blobs each; default 8. */
  readonly manifestsInParallel?: number;
}

/** Options with the defaults filled in. */
export interface Settings extends Required<Omit<CopyOptions, 'signal' | 'hooks'>> {
  readonly hooks: CopyHooks;
  readonly signal: AbortSignal;
}

/** Bytes that may wait for one target of one blob (DESIGN invariant 13). */
export const sinkBufferBytes = 1024 * 1024;
/** Repositories asked for one blob; each costs a request and may leave a session. */
export const maxMountSources = 3;

const firstRetryMs = 200;
const positive = [
  'blobsInParallel',
  'manifestsInParallel',
  'stallTimeoutMs',
  'holdUpMs',
  'maxManifests',
  'maxDepth',
  'maxDescriptors',
  'maxReferrers',
] as const;

/**
 * Fills the defaults in.
 * @throws CopyError `arguments-invalid`
 */
export function settingsOf(options: CopyOptions): Settings {
  const settings: Settings = {
    hooks: options.hooks ?? {},
    signal: options.signal ?? new AbortController().signal,
    blobsInParallel: options.blobsInParallel ?? 4,
    manifestsInParallel: options.manifestsInParallel ?? 8,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    holdUpMs: options.holdUpMs ?? 5_000,
    retries: options.retries ?? 2,
    retryDelayMs: options.retryDelayMs ?? jitteredDelay,
    maxRetryDelayMs: options.maxRetryDelayMs ?? 5_000,
    maxManifests: options.maxManifests ?? 10_000,
    maxDepth: options.maxDepth ?? 16,
    maxDescriptors: options.maxDescriptors ?? 100_000,
    manifestCacheBytes: options.manifestCacheBytes ?? 64 * 1024 * 1024,
    referrers: options.referrers ?? 'none',
    maxReferrers: options.maxReferrers ?? 1_000,
    onSettled: options.onSettled ?? (() => undefined),
  };
  for (const name of positive) {
    if (!Number.isInteger(settings[name]) || settings[name] < 1) throw invalidArguments(`${name} must be a positive integer`);
  }
  return settings;
}

/** @throws CopyError `arguments-invalid` */
export function checkTargets(targets: readonly CopyTarget[]): void {
  if (targets.length === 0) throw invalidArguments('there must be at least one target');
  const ids = new Set(targets.map((target) => target.id));
  if (ids.size < targets.length) throw invalidArguments('two targets have the same id');
  const reserved = targets.flatMap(({ tags }) => tags ?? []).find(isReservedTag);
  // The fallback tag is the store's to merge, and cosign's come with what they are attached to.
  if (reserved !== undefined) throw invalidArguments(`"${reserved}" is a reserved tag: it is brought as a referrer, or not at all`);
}

function jitteredDelay(n: number): number {
  return firstRetryMs * 2 ** (n - 1) * (0.5 + Math.random() / 2);
}
