import type { Actor } from '@waybill/access';
import { parseRepositoryName } from '@waybill/oci-model';
import type { InventoryRepositories, InventoryRepository, TopologyRevisions } from '@waybill/persistence';
import { registryNamed } from '@waybill/topology';
import { authorise } from '../../http/actor.js';
import { ApiError } from '../../http/api-error.js';
import { activeRevision } from '../../infrastructure/active-revision.js';

/** A repository of a route: its segments as the address has them, or one segment in which the slashes were encoded. */
export type RepositorySegments = string | readonly string[];

export interface InventoryPlacesOptions {
  readonly revisions: TopologyRevisions;
  readonly repositories: Pick<InventoryRepositories, 'get'>;
}

/** What the names of a route mean in the inventory. */
export class InventoryPlaces {
  readonly #options: InventoryPlacesOptions;

  constructor(options: InventoryPlacesOptions) {
    this.#options = options;
  }

  /**
   * The id of a registry of the active topology.
   * @throws TopologyError `registry-unknown`
   * @throws PromotionError `no-topology`
   */
  async registryId(name: string): Promise<string> {
    const { revisions } = this.#options;
    registryNamed((await activeRevision(revisions, 'read inventory')).topology, name);
    const records = await revisions.currentRegistries();
    const record = records.find((one) => one.name === name);
    if (record === undefined) throw new Error(`registry ${name} of the active topology has no row`);
    return record.id;
  }

  /** Names of the registries of the active topology, by id. */
  async registryNames(): Promise<ReadonlyMap<string, string>> {
    const { revisions } = this.#options;
    const { topology } = await activeRevision(revisions, 'read inventory');
    const records = await revisions.currentRegistries();
    return new Map(records.flatMap(({ id, name }) => (Object.hasOwn(topology.registries, name) ? [[id, name]] : [])));
  }

  /**
   * A repository that the caller may read.
   * @throws as `registryId`; ContentError `reference-invalid`; ApiError `forbidden`, and `repository-unknown` when nothing ever named it
   */
  async repository(actor: Actor, registry: string, segments: RepositorySegments): Promise<InventoryRepository> {
    const name = parseRepositoryName(typeof segments === 'string' ? segments : segments.join('/'));
    authorise(actor, 'artifacts:read', { repository: name });
    const found = await this.#options.repositories.get(await this.registryId(registry), name);
    if (found !== undefined) return found;
    throw new ApiError(`no crawl of ${registry} has seen ${name}, and nothing was promoted there`, { code: 'repository-unknown' });
  }
}
