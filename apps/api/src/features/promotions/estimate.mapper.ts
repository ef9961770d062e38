import type { Estimate as EstimateView, PromotionEstimate } from '@waybill/contracts/http';
import { digestFromBytes } from '@waybill/oci-model';
import { type Estimate, immutableConflicts, type ObservedTarget, type ResolvedItem } from '@waybill/promotion';
import { isImmutableTag, type Topology } from '@waybill/topology';
import type { z } from 'zod';
import type { PromotionPlan } from './plan-promotion.js';

type ItemView = PromotionEstimate['items'][number];
type TagView = ItemView['targets'][number]['tags'][number];

/** Undefined numbers of an estimate are absent in JSON. */
export function toEstimate(estimate: Estimate): z.infer<typeof EstimateView> {
  return JSON.parse(JSON.stringify(estimate)) as z.infer<typeof EstimateView>;
}

/** What a request for this plan would do, and what stands in its way. */
export function toPromotionEstimate({ revision, intent, intentHash, items, forecast }: PromotionPlan): PromotionEstimate {
  const { topology } = revision;
  const conflicts = immutableConflicts(topology, items);
  return {
    path: intent.path.name,
    revision: revision.number,
    intentHash: digestFromBytes(intentHash),
    acceptable: !conflicts.some(({ requirement }) => requirement === 'required'),
    items: items.map((item) => toItem(topology, item)),
    conflicts,
    estimate: toEstimate(forecast),
  };
}

function toItem(topology: Topology, item: ResolvedItem): ItemView {
  const { registry, repository, tag } = item.source;
  return {
    source: { registry, repository, ...(tag === undefined ? {} : { tag }) },
    digest: item.digest,
    mediaType: item.mediaType,
    targets: item.targets.map((target) => ({
      registry: target.registry,
      location: target.location,
      repository: target.repository,
      requirement: target.requirement,
      tags: target.tags.map((one) => toTag(topology, item, target, one)),
    })),
  };
}

function toTag(
  topology: Topology,
  { digest }: ResolvedItem,
  { registry }: ObservedTarget,
  { tag, expected }: ObservedTarget['tags'][number],
): TagView {
  switch (expected.kind) {
    case 'absent':
      return { tag, expected, change: 'create' };
    case 'unknown':
      return { tag, expected, change: 'unknown' };
    case 'digest':
      if (expected.digest === digest) return { tag, expected, change: 'keep' };
      return { tag, expected, change: isImmutableTag(topology, registry, tag) ? 'conflict' : 'move' };
  }
}
