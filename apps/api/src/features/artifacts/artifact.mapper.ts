import type { Artifact } from '@waybill/contracts/http';
import type { KnownDeletion, KnownTag } from '@waybill/persistence';
import type { Digest } from '@waybill/oci-model';
import type { Registry } from '@waybill/topology';
import type { SeenPlace, Sight } from './look-at-place.js';
import type { Candidate } from './places-to-look-at.js';

type RegistryView = Artifact['registries'][number];
type PlaceView = RegistryView['repositories'][number];
type TagView = PlaceView['tags'][number];

/** A place with everything that is on record of it and was seen there. */
export interface LookedAt {
  readonly candidate: Candidate;
  readonly seen: SeenPlace;
  readonly tags: readonly KnownTag[];
  /** Of what is on record; undefined when the caller may not read the promotion. */
  readonly promotionId: string | undefined;
}

export function toPlace({ candidate, seen, tags, promotionId }: LookedAt, digest: Digest): PlaceView {
  const { repository, known } = candidate;
  return {
    repository,
    ...presenceOf(seen.content),
    record: known?.record ?? 'none',
    ...(known?.since === undefined ? {} : { since: known.since.toISOString() }),
    ...(known?.until === undefined ? {} : { until: known.until.toISOString() }),
    ...(known?.lastSeen === undefined ? {} : { lastSeen: known.lastSeen.toISOString() }),
    ...(promotionId === undefined ? {} : { promotionId }),
    ...deletionOf(known?.deletion),
    tags: tags.map((tag) => toTag(tag, seen.tags.get(tag.tag), digest)),
  };
}

export function toRegistry(registry: Registry, repositories: PlaceView[]): RegistryView {
  return {
    registry: registry.name,
    role: registry.role,
    ...(registry.location === undefined ? {} : { location: registry.location }),
    ...verdictOf(registry, repositories),
    repositories,
  };
}

function deletionOf(deletion: KnownDeletion | undefined): Pick<PlaceView, 'deletion'> {
  if (deletion === undefined) return {};
  const { at, runId, policy, approvalId } = deletion;
  return { deletion: { at: at.toISOString(), runId, policy, ...(approvalId === undefined ? {} : { approvalId }) } };
}

function presenceOf(sight: Sight<boolean>): Pick<PlaceView, 'state' | 'reason' | 'detail'> {
  if (sight.kind === 'found') return { state: sight.found ? 'present' : 'absent' };
  return { state: 'unknown', reason: sight.reason, detail: sight.detail };
}

function toTag({ tag, names }: KnownTag, sight: Sight<Digest | undefined> | undefined, digest: Digest): TagView {
  const facts = { tag, ...(names === undefined ? {} : { recorded: names }) };
  if (sight === undefined) return { ...facts, state: 'unknown' };
  if (sight.kind === 'unknown') return { ...facts, state: 'unknown', reason: sight.reason };
  if (sight.found === undefined) return { ...facts, state: 'gone' };
  return sight.found === digest ? { ...facts, state: 'names-it' } : { ...facts, state: 'moved', names: sight.found };
}

/** One repository that has it is enough; one that could not be asked keeps all the others from meaning that it is absent. */
function verdictOf({ role }: Registry, repositories: readonly PlaceView[]): Pick<RegistryView, 'state' | 'reason'> {
  if (repositories.length === 0) return { state: 'unknown', reason: role === 'cache' ? 'pull-through' : 'no-repository' };
  if (repositories.some(({ state }) => state === 'present')) return { state: 'present' };
  const blind = repositories.find(({ state }) => state === 'unknown');
  if (blind === undefined) return { state: 'absent' };
  return { state: 'unknown', ...(blind.reason === undefined ? {} : { reason: blind.reason }) };
}
