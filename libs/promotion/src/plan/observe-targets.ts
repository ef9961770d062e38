import { ContentError, type Digest, type RepositoryName, type Tag } from '@waybill/oci-model';
import { isImmutableTag, type Topology } from '@waybill/topology';
import { type ExpectedDigest, expectedFrom } from '../expected-digest.js';
import { PromotionError } from '../promotion-error.js';
import type { Requirement } from '../states.js';
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

/** A target tag that must not move and holds something else. */
export interface ImmutableConflict {
  readonly item: number;
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly requirement: Requirement;
  readonly tag: Tag;
  readonly holds: Digest;
  readonly wanted: Digest;
}

interface LookedAtItem {
  readonly digest: Digest;
  readonly targets: readonly ObservedTarget[];
}

/** Every conflict that is known now, those of replicas too. */
export function immutableConflicts(topology: Topology, items: readonly LookedAtItem[]): ImmutableConflict[] {
  return items.flatMap((item, position) =>
    item.targets.flatMap(({ registry, repository, requirement, tags }) =>
      tags.flatMap(({ tag, expected }): ImmutableConflict[] => {
        if (expected.kind !== 'digest' || expected.digest === item.digest) return [];
        if (!isImmutableTag(topology, registry, tag)) return [];
        return [{ item: position, registry, repository, requirement, tag, holds: expected.digest, wanted: item.digest }];
      }),
    ),
  );
}

/**
 * A conflict that is known now is refused now; one found at tag time is an outcome.
 * Replicas are best-effort, so theirs never refuses a promotion.
 * @throws PromotionError `tag-immutable`
 */
export function refuseImmutableConflicts(topology: Topology, items: readonly LookedAtItem[]): void {
  const conflict = immutableConflicts(topology, items).find(({ requirement }) => requirement === 'required');
  if (conflict === undefined) return;
  const { item, registry, repository, tag, holds, wanted } = conflict;
  throw new PromotionError(
    `${registry}/${repository}:${tag} is immutable and already holds ${holds}, not ${wanted}: promote under a new tag`,
    { code: 'tag-immutable', operation: 'request promotion', details: { pointer: `/items/${item}`, registry, tag, holds, wanted } },
  );
}

async function observeTag(reader: RegistryReader, target: PlannedTarget, tag: Tag, signal: AbortSignal): Promise<ExpectedDigest> {
  try {
    return expectedFrom(await reader.repository(target.registry, target.repository).resolveTag(tag, signal));
  } catch (error) {
    if (error instanceof ContentError) return { kind: 'unknown' };
    throw error;
  }
}
