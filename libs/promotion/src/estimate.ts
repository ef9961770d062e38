import type { Digest } from '@waybill/oci-model';
import type { Topology } from '@waybill/topology';

/** A dated forecast beside the intent; never part of its hash. Sizes in bytes, cost in the topology's currency. */
export interface Estimate {
  readonly madeAt: string;
  readonly targets: readonly TargetEstimate[];
  /**
   * Per link between two locations: bytes over it, and what they cost; undefined cost when no price is declared.
   * A link at whose end no target could be asked is left out, because nothing is known of it.
   */
  readonly links: readonly LinkEstimate[];
}

export interface TargetEstimate {
  readonly item: number;
  readonly registry: string;
  /** Undefined numbers mean that the target could not be asked in time. */
  readonly blobs: { readonly copy: number; readonly mount: number; readonly skip: number } | undefined;
  readonly bytes: { readonly copy: number; readonly mount: number; readonly skip: number } | undefined;
  readonly requests: number | undefined;
}

export interface LinkEstimate {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
  readonly cost?: number;
}

/** What an item is made of, as its manifests at the source say. */
export interface ItemContent {
  readonly manifests: number;
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
}

export interface SourceContent {
  /** Undefined for an upstream, which may stand nowhere. */
  readonly location: string | undefined;
  readonly items: readonly ItemContent[];
}

/** What a target was seen to hold of an item. */
export interface TargetForecast {
  readonly item: number;
  readonly registry: string;
  readonly location: string;
  /** Blobs that the target has; undefined when it could not be asked. */
  readonly present: ReadonlySet<Digest> | undefined;
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
  if (content === undefined || target.present === undefined) {
    return { ...facts, blobs: undefined, bytes: undefined, requests: undefined };
  }
  const present = target.present;
  const skip = content.blobs.filter((blob) => present.has(blob.digest));
  const needed = content.blobs.filter((blob) => !present.has(blob.digest));
  const [copy, mount] = target.mountable ? [[], needed] : [needed, []];
  return {
    ...facts,
    blobs: { copy: copy.length, mount: mount.length, skip: skip.length },
    bytes: { copy: sumOf(copy), mount: sumOf(mount), skip: sumOf(skip) },
    // A probe per blob, two requests per upload and one per mount; a read, a write and a read-back per manifest; three for the tag.
    requests: content.blobs.length + 2 * copy.length + mount.length + 3 * content.manifests + 3,
  };
}

/** A blob crosses a link once, however many targets stand at its end. */
function estimateLinks(topology: Topology, source: SourceContent, targets: readonly TargetForecast[]): LinkEstimate[] {
  const from = source.location;
  if (from === undefined) return [];
  const known = targets.filter((target): target is AskedTarget => target.present !== undefined && target.location !== from);
  return [...new Set(known.map((target) => target.location))].map((location) => {
    const bytes = bytesCrossing(
      source,
      known.filter((target) => target.location === location),
    );
    const price = priceOf(topology, from, location);
    return { from, to: location, bytes, ...(price === undefined ? {} : { cost: (bytes / bytesPerGigabyte) * price }) };
  });
}

type AskedTarget = TargetForecast & { readonly present: ReadonlySet<Digest> };

function bytesCrossing(source: SourceContent, targets: readonly AskedTarget[]): number {
  const crossing = new Map<Digest, number>();
  for (const target of targets) {
    if (target.mountable) continue;
    for (const blob of source.items[target.item]?.blobs ?? []) {
      if (!target.present.has(blob.digest)) crossing.set(blob.digest, blob.size);
    }
  }
  return [...crossing.values()].reduce((sum, size) => sum + size, 0);
}

/** `constructor` is a legal name of a location, so only a record's own entry counts. */
function priceOf(topology: Topology, from: string, to: string): number | undefined {
  const egress = topology.locations[from]?.egress ?? {};
  return Object.hasOwn(egress, to) ? egress[to] : undefined;
}

function sumOf(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((sum, blob) => sum + blob.size, 0);
}
