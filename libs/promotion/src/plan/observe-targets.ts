import { ContentError, type Digest, type Tag } from '@waybill/oci-model';
import { isImmutableTag, type Topology } from '@waybill/topology';
import { type ExpectedDigest, expectedFrom } from '../expected-digest.js';
import { PromotionError } from '../promotion-error.js';
import type { PlannedItem, PlannedTarget } from './plan-items.js';
import type { RegistryReader } from './registry-reader.js';

/** What a target's tags hold now, as far as it could be asked. */
export interface ObservedTarget extends PlannedTarget {
  readonly tags: readonly { readonly tag: Tag; readonly expected: ExpectedDigest }[];
}

/**
 * Reads what the item's target tags hold now. A target that cannot be asked is
 * accepted as `unknown`: the worker reads it when it is first reachable.
 */
export async function observeTargets(reader: RegistryReader, item: PlannedItem, signal: AbortSignal): Promise<ObservedTarget[]> {
  return Promise.all(
    item.targets.map(async (target) => ({
      ...target,
      tags: await Promise.all(item.tags.map(async (tag) => ({ tag, expected: await observeTag(reader, target, tag, signal) }))),
    })),
  );
}

/**
 * A conflict that is known now is refused now; one found at tag time is an outcome.
 * Replicas are best-effort, so theirs never refuses a promotion.
 * @throws PromotionError `tag-immutable`
 */
export function refuseImmutableConflicts(
  topology: Topology,
  items: readonly { readonly digest: Digest; readonly targets: readonly ObservedTarget[] }[],
): void {
  for (const [position, item] of items.entries()) {
    for (const target of item.targets.filter((candidate) => candidate.requirement === 'required')) {
      for (const { tag, expected } of target.tags) {
        if (expected.kind !== 'digest' || expected.digest === item.digest) continue;
        if (!isImmutableTag(topology, target.registry, tag)) continue;
        throw new PromotionError(
          `${target.registry}/${target.repository}:${tag} is immutable and already holds ${expected.digest}, not ${item.digest}: promote under a new tag`,
          {
            code: 'tag-immutable',
            operation: 'request promotion',
            details: { pointer: `/items/${position}`, registry: target.registry, tag, holds: expected.digest, wanted: item.digest },
          },
        );
      }
    }
  }
}

async function observeTag(reader: RegistryReader, target: PlannedTarget, tag: Tag, signal: AbortSignal): Promise<ExpectedDigest> {
  try {
    return expectedFrom(await reader.repository(target.registry, target.repository).resolveTag(tag, signal));
  } catch (error) {
    if (error instanceof ContentError) return { kind: 'unknown' };
    throw error;
  }
}
