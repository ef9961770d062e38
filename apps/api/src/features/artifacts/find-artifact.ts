import { setMaxListeners } from 'node:events';
import { type Actor, allows } from '@waybill/access';
import type { Artifact } from '@waybill/contracts/http';
import type { Digest, RepositoryName } from '@waybill/oci-model';
import type {
  ArtifactReadModel,
  InventoryRelations,
  KnownPlace,
  KnownTag,
  Place,
  PromotionReadModel,
  TopologyRevision,
  TopologyRevisions,
} from '@waybill/persistence';
import type { RegistryReader } from '@waybill/promotion';
import { visiblePage } from '../../http/visible-page.js';
import { visibleTo } from '../../http/visible-to.js';
import { activeRevision } from '../../infrastructure/active-revision.js';
import { EvenRegistryReader } from '../../infrastructure/even-registry-reader.js';
import type { OpenRegistries } from '../../infrastructure/open-registry-reader.js';
import { toArtifactInventory } from './artifact-inventory.mapper.js';
import { type LookedAt, toPlace, toRegistry } from './artifact.mapper.js';
import { lookAtPlace } from './look-at-place.js';
import { manifestFacts, type ManifestFacts } from './manifest-facts.js';
import { type Candidate, placesToLookAt } from './places-to-look-at.js';

/** Questions under way at one registry; each may hold a manifest of 4 MiB. */
const maxQuestionsPerRegistry = 4;

export interface FindArtifactOptions {
  readonly revisions: TopologyRevisions;
  readonly open: (revision: TopologyRevision) => Promise<OpenRegistries>;
  readonly artifacts: ArtifactReadModel;
  readonly promotions: PromotionReadModel;
  readonly relations: Pick<InventoryRelations, 'read'>;
  /** How long one request may look at registries, in milliseconds. */
  readonly registryDeadlineMs: number;
}

export interface ArtifactQuestion {
  readonly digest: Digest;
  readonly limit: number;
  /** Where the page begins; undefined for the first. */
  readonly after: Place | undefined;
  /** A repository to look in everywhere. */
  readonly repository: RepositoryName | undefined;
}

export interface ArtifactAnswer {
  readonly artifact: Artifact;
  readonly next: Place | undefined;
}

interface PlacesToLookAt {
  readonly candidates: readonly Candidate[];
  /** Those of the candidates that are on record. */
  readonly places: readonly KnownPlace[];
  /** Promotions that the caller may read. */
  readonly readable: ReadonlySet<string>;
}

/** Looks for an artifact in every registry of the active topology, where it is known to be and where it may be. */
export class FindArtifact {
  readonly #options: FindArtifactOptions;

  constructor(options: FindArtifactOptions) {
    this.#options = options;
  }

  /** @throws PromotionError `no-topology` */
  async find(actor: Actor, question: ArtifactQuestion): Promise<ArtifactAnswer> {
    const { digest, after, repository, limit } = question;
    const { artifacts, relations, revisions, open } = this.#options;
    const revision = await activeRevision(revisions, 'find artifact');
    const { topology } = revision;
    const { reader, records } = await open(revision);
    const nameOf = new Map(records.flatMap(({ id, name }) => (Object.hasOwn(topology.registries, name) ? [[id, name]] : [])));
    const readable = new Set<string>();
    const page = await visiblePage<KnownPlace, Place>({
      limit,
      after,
      read: (from, count) => artifacts.places(digest, { after: from, limit: count }),
      positionOf: (place) => place,
      visible: (places) =>
        this.#visible(
          actor,
          places.filter(({ registryId }) => nameOf.has(registryId)),
          readable,
        ),
    });
    const isFirst = after === undefined;
    const known = isFirst ? await relations.read(digest, { registries: [...nameOf.keys()], visible: visibleTo(actor) }) : undefined;
    const candidates = placesToLookAt(page.rows, { topology, nameOf, repository, isFirst, isWhole: isFirst && page.next === undefined });
    const { lookedAt, facts } = await this.#look(reader, digest, { candidates, places: page.rows, readable });
    const registries = Object.values(topology.registries)
      .map((registry) =>
        toRegistry(
          registry,
          lookedAt.filter(({ candidate }) => candidate.registry.name === registry.name).map((one) => toPlace(one, digest)),
        ),
      )
      .filter(({ repositories }) => isFirst || repositories.length > 0);
    const inventory = known === undefined ? {} : { inventory: toArtifactInventory(known) };
    return { artifact: { digest, lookedAt: new Date().toISOString(), ...facts, ...inventory, registries }, next: page.next };
  }

  async #look(
    reader: RegistryReader,
    digest: Digest,
    { candidates, places, readable }: PlacesToLookAt,
  ): Promise<{ lookedAt: LookedAt[]; facts: ManifestFacts & Pick<Artifact, 'parents' | 'referrers'> }> {
    const { artifacts, registryDeadlineMs } = this.#options;
    const [tags, content, relatives] = await Promise.all([
      artifacts.tags(digest, places),
      artifacts.content(digest),
      artifacts.relatives(digest, places),
    ]);
    const deadline = AbortSignal.timeout(registryDeadlineMs);
    setMaxListeners(0, deadline); // each of the many small reads listens to it
    const even = new EvenRegistryReader(reader, maxQuestionsPerRegistry);
    let live: ManifestFacts | undefined;
    const lookedAt = await Promise.all(
      candidates.map(async (candidate): Promise<LookedAt> => {
        const known = tagsAt(tags, candidate.known);
        const place = { registry: candidate.registry.name, repository: candidate.repository, tags: known.map(({ tag }) => tag) };
        const seen = await lookAtPlace(even, place, content ?? { digest }, {
          deadline,
          onManifest: (manifest) => (live ??= manifestFacts(manifest)),
        });
        const promotionId = candidate.known?.promotionId;
        return {
          candidate,
          seen,
          tags: known,
          promotionId: promotionId !== undefined && readable.has(promotionId) ? promotionId : undefined,
        };
      }),
    );
    const recorded = {
      ...(content === undefined ? {} : { mediaType: content.mediaType, size: content.size }),
      children: [...relatives.children],
    };
    return { lookedAt, facts: { ...(live ?? recorded), parents: [...relatives.parents], referrers: [...relatives.referrers] } };
  }

  /**
   * A place is shown to whoever may read its repository, or the promotion that brought it. The promotion is named
   * only to whoever may read all of it, as with provenance: `readable` gathers those.
   */
  async #visible(actor: Actor, places: readonly KnownPlace[], readable: Set<string>): Promise<KnownPlace[]> {
    const ids = new Set(places.flatMap(({ promotionId }) => (promotionId === undefined ? [] : [promotionId])));
    for (const [id, { path, repositories }] of await this.#options.promotions.scopes(ids)) {
      if (repositories.every((repository) => allows(actor.grants, 'artifacts:read', { path, repository }))) readable.add(id);
    }
    return places.filter(
      ({ repository, promotionId }) =>
        (promotionId !== undefined && readable.has(promotionId)) || allows(actor.grants, 'artifacts:read', { repository }),
    );
  }
}

function tagsAt(tags: readonly KnownTag[], place: KnownPlace | undefined): readonly KnownTag[] {
  return tags.filter(({ registryId, repository }) => registryId === place?.registryId && repository === place.repository);
}
