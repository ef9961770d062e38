import {
  type ArtifactReference,
  type Digest,
  formatArtifactReference,
  isReservedTag,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';
import {
  admits,
  pathNamed,
  type PromotionPath,
  type PromotionTarget,
  registryNamed,
  targetRepository,
  targetsOf,
  type Topology,
} from '@waybill/topology';
import { PromotionError, type PromotionErrorCode } from '../promotion-error.js';
import type { Requirement } from '../states.js';

/** One item as it was asked for. */
export interface RequestedItem {
  readonly source: ArtifactReference;
  /** Tags to write at the targets; the source's tag when absent. */
  readonly tags?: readonly Tag[];
}

export interface PlannedItem {
  /** What is read at the source: the digest where one was given, else the tag. */
  readonly reference: Digest | Tag;
  readonly source: { readonly registry: string; readonly repository: RepositoryName; readonly tag?: Tag; readonly digest?: Digest };
  readonly tags: readonly Tag[];
  readonly targets: readonly PlannedTarget[];
}

export interface PlannedTarget {
  readonly registry: string;
  readonly location: string;
  readonly repository: RepositoryName;
  readonly requirement: Requirement;
  /** The prod whose tagging this replica waits for. */
  readonly follows?: string;
}

/**
 * From what was asked for to what would be written where, by the topology alone.
 * `details.pointer` of an error points into the request (RFC 6901).
 * @throws TopologyError `path-unknown`, `registry-unknown`
 * @throws PromotionError `source-mismatch`, `not-admitted`, `tag-missing`, `tag-reserved`, `duplicate-target`
 */
export function planItems(topology: Topology, pathName: string, items: readonly RequestedItem[]): PlannedItem[] {
  const path = pathNamed(topology, pathName);
  const planned = items.map((item, position) => planItem(topology, path, item, position));
  refuseDuplicates(planned);
  return planned;
}

function planItem(topology: Topology, path: PromotionPath, item: RequestedItem, position: number): PlannedItem {
  const { registry, repository, tag, digest } = item.source;
  registryNamed(topology, registry);
  if (registry !== path.from) {
    throw refusal('source-mismatch', `path "${path.name}" leads from ${path.from}, not from ${registry}`, `/items/${position}/source`);
  }
  const reference = digest ?? tag;
  if (reference === undefined) {
    const wanted = 'say which image is meant, by a tag or a digest';
    throw refusal('tag-missing', `${formatArtifactReference(item.source)} names no image: ${wanted}`, `/items/${position}/source`);
  }
  const tags = item.tags ?? (tag === undefined ? [] : [tag]);
  if (tags.length === 0) {
    const named = formatArtifactReference(item.source);
    throw refusal('tag-missing', `no tag to write for ${named}: name at least one in "tags"`, `/items/${position}/tags`);
  }
  for (const wanted of new Set([...tags, ...(tag === undefined ? [] : [tag])])) {
    refuseTag(path, repository, wanted, `/items/${position}/${item.tags?.includes(wanted) ? 'tags' : 'source'}`);
  }
  const target = targetRepository(path, { registry, repository });
  const targets = targetsOf(topology, path.name, target);
  return {
    reference,
    source: { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) },
    tags: [...new Set(tags)],
    targets: targets.map((candidate) => planTarget(candidate, target)),
  };
}

function planTarget(target: PromotionTarget, repository: RepositoryName): PlannedTarget {
  const facts = { registry: target.registry.name, location: target.registry.location, repository };
  return target.kind === 'required' ? { ...facts, requirement: 'required' } : { ...facts, requirement: 'best-effort', follows: target.of };
}

function refuseTag(path: PromotionPath, repository: RepositoryName, tag: Tag, pointer: string): void {
  if (isReservedTag(tag)) {
    throw refusal('tag-reserved', `${tag} is a tag of referrers and signatures, which travel with their subject`, pointer);
  }
  const admission = admits(path, repository, tag);
  if (!admission.admitted) throw refusal('not-admitted', admission.reason, pointer);
}

function refuseDuplicates(items: readonly PlannedItem[]): void {
  const taken = new Map<string, number>();
  for (const [position, item] of items.entries()) {
    for (const target of item.targets) {
      for (const tag of item.tags) {
        const name = `${target.registry}/${target.repository}:${tag}`;
        const other = taken.get(name);
        if (other !== undefined) {
          throw refusal('duplicate-target', `items ${other} and ${position} would both write ${name}`, `/items/${position}`);
        }
        taken.set(name, position);
      }
    }
  }
}

function refusal(code: PromotionErrorCode, message: string, pointer: string): PromotionError {
  return new PromotionError(message, { code, operation: 'plan promotion', details: { pointer } });
}
