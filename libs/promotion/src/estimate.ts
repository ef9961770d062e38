import type { Digest } from '@waybill/oci-model';
import type { Topology } from '@waybill/topology';
import type { Blindness } from './plan/blindness.js';

/** A dated forecast beside the intent; never part of its hash. Sizes in bytes, cost in the topology's currency. */
export interface Estimate {
  readonly madeAt: string;
  readonly targets: readonly TargetEstimate[];
  /**
   * Per link between two locations: what goes over it, and what that costs; undefined cost when no price is declared.
   * A link at whose end no target could be asked is left out, because nothing is known of it.
   */
  readonly links: readonly LinkEstimate[];
}

/** To be sent, taken over within the registry, there already, and not known, for want of an answer or of questions left. */
export interface Counts {
  readonly copy: number;
  readonly mount: number;
  readonly skip: number;
  readonly unknown: number;
}

export interface TargetEstimate {
  readonly item: number;
  readonly registry: string;
  /** Undefined numbers mean that source or target could not be asked in time. */
  readonly manifests: Counts | undefined;
  readonly manifestBytes: Counts | undefined;
  readonly blobs: Counts | undefined;
  /** Of the blobs. */
  readonly bytes: Counts | undefined;
  /** To the registry, at most: what is not known is taken to be missing. */
  readonly requests: number | undefined;
  /** Why something of it, or all of it, is not known. */
  readonly unseen: Unseen | undefined;
}

/** The source could not be read, the target could not be asked, or there is more than a forecast looks at. */
export type Unseen = 'source-unread' | 'too-many' | Blindness;

export interface LinkEstimate {
  readonly from: string;
  readonly to: string;
  /** Of blobs and manifests that are known to be missing. */
  readonly bytes: number;
  /** What may have to cross as well. */
  readonly bytesUnknown: number;
  /** To the registries at its end, at most. */
  readonly requests: number;
  /** Of the bytes that are known to be missing. */
  readonly cost?: number;
}

/** A manifest or blob. */
export interface Piece {
  readonly digest: Digest;
  readonly size: number;
}

/** What an item is made of, as its manifests at the source say. */
export interface ItemContent {
  readonly manifests: readonly Piece[];
  readonly blobs: readonly Piece[];
  /** False when there are more manifests than were read: then this is the least that it is made of. */
  readonly isWhole: boolean;
}

export interface SourceContent {
  /** Undefined for an upstream, which may stand nowhere. */
  readonly location: string | undefined;
  /** Undefined for an item that could not be read. */
  readonly items: readonly (ItemContent | undefined)[];
}

/** What a target was seen to hold of an item. */
export interface SeenContent {
  readonly present: ReadonlySet<Digest>;
  readonly unknown: ReadonlySet<Digest>;
}

export interface TargetForecast {
  readonly item: number;
  readonly registry: string;
  readonly location: string;
  /** Undefined when the target gave no answer at all. */
  readonly seen: SeenContent | undefined;
  /** Why not all of it is known. */
  readonly unseen: Unseen | undefined;
  /** Source and target are one origin: blobs can be mounted. */
  readonly mountable: boolean;
}

const bytesPerGigabyte = 1_000_000_000;

/** Pure arithmetic: from what was seen to what will probably be done. */
export function estimate(topology: Topology, source: SourceContent, targets: readonly TargetForecast[], madeAt: Date): Estimate {
  const perTarget = targets.map((target) => estimateTarget(source.items[target.item], target));
  return { madeAt: madeAt.toISOString(), targets: perTarget, links: estimateLinks(topology, source, targets) };
}

function estimateTarget(content: ItemContent | undefined, target: TargetForecast): TargetEstimate {
  const facts = { item: target.item, registry: target.registry };
  const nothing = { manifests: undefined, manifestBytes: undefined, blobs: undefined, bytes: undefined, requests: undefined };
  if (content === undefined) return { ...facts, ...nothing, unseen: 'source-unread' };
  if (target.seen === undefined) return { ...facts, ...nothing, unseen: target.unseen };
  const manifests = sortOut(content.manifests, target.seen, false);
  const blobs = sortOut(content.blobs, target.seen, target.mountable);
  return {
    ...facts,
    manifests: countsOf(manifests, (pieces) => pieces.length),
    manifestBytes: countsOf(manifests, sumOf),
    blobs: countsOf(blobs, (pieces) => pieces.length),
    bytes: countsOf(blobs, sumOf),
    requests: requestsFor(manifests, blobs),
    unseen: target.unseen ?? (content.isWhole ? undefined : 'too-many'),
  };
}

type Sorted = Readonly<Record<keyof Counts, readonly Piece[]>>;

function sortOut(pieces: readonly Piece[], { present, unknown }: SeenContent, mountable: boolean): Sorted {
  const missing = pieces.filter(({ digest }) => !present.has(digest) && !unknown.has(digest));
  return {
    copy: mountable ? [] : missing,
    mount: mountable ? missing : [],
    skip: pieces.filter(({ digest }) => present.has(digest)),
    unknown: pieces.filter(({ digest }) => unknown.has(digest)),
  };
}

function countsOf({ copy, mount, skip, unknown }: Sorted, count: (pieces: readonly Piece[]) => number): Counts {
  return { copy: count(copy), mount: count(mount), skip: count(skip), unknown: count(unknown) };
}

/** A probe per piece, two more per upload and one per mount; a write of each missing manifest and a read-back of all; three for the tag. */
function requestsFor(manifests: Sorted, blobs: Sorted): number {
  const ofBlobs = blobs.skip.length + 2 * blobs.mount.length + 3 * (blobs.copy.length + blobs.unknown.length);
  const ofManifests = 2 * manifests.skip.length + 3 * (manifests.copy.length + manifests.unknown.length);
  return ofBlobs + ofManifests + 3;
}

/** A blob crosses a link once, however many targets stand at its end. */
function estimateLinks(topology: Topology, source: SourceContent, targets: readonly TargetForecast[]): LinkEstimate[] {
  const from = source.location;
  if (from === undefined) return [];
  const asked = targets.filter(
    (target): target is AskedTarget => target.seen !== undefined && target.location !== from && source.items[target.item] !== undefined,
  );
  return [...new Set(asked.map((target) => target.location))].map((to) => {
    const atItsEnd = asked.filter((target) => target.location === to);
    const { bytes, bytesUnknown } = bytesCrossing(source, atItsEnd);
    const requests = atItsEnd.reduce((sum, target) => sum + (estimateTarget(source.items[target.item], target).requests ?? 0), 0);
    const price = priceOf(topology, from, to);
    return { from, to, bytes, bytesUnknown, requests, ...(price === undefined ? {} : { cost: (bytes / bytesPerGigabyte) * price }) };
  });
}

type AskedTarget = TargetForecast & { readonly seen: SeenContent };

function bytesCrossing(source: SourceContent, targets: readonly AskedTarget[]): { readonly bytes: number; readonly bytesUnknown: number } {
  const missing = new Map<Digest, Piece>();
  const unknown = new Map<Digest, Piece>();
  for (const { item, seen, mountable } of targets) {
    const { manifests = [], blobs = [] } = source.items[item] ?? {};
    for (const piece of mountable ? manifests : [...manifests, ...blobs]) {
      if (seen.unknown.has(piece.digest)) unknown.set(piece.digest, piece);
      else if (!seen.present.has(piece.digest)) missing.set(piece.digest, piece);
    }
  }
  const perhaps = [...unknown.values()].filter(({ digest }) => !missing.has(digest));
  return { bytes: sumOf([...missing.values()]), bytesUnknown: sumOf(perhaps) };
}

/** `constructor` is a legal name of a location, so only a record's own entry counts. */
function priceOf(topology: Topology, from: string, to: string): number | undefined {
  const egress = topology.locations[from]?.egress ?? {};
  return Object.hasOwn(egress, to) ? egress[to] : undefined;
}

function sumOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { size }) => sum + size, 0);
}
