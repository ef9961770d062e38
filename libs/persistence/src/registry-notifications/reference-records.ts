import type { ManifestFacts, ManifestStatus, Problem, RepositoryRecords } from '@waybill/inventory';
import type { Digest, RepositoryName } from '@waybill/oci-model';
import type { Database } from '../database.js';
import { keepManifests, keepPlaces } from '../inventory/keep-manifests.js';
import { manifestStatuses } from '../inventory/manifest-statuses.js';
import { noteUnreadable } from '../inventory/note-unreadable.js';

/** A repository of which some tags and digests are looked at. */
export interface ReferencesAt {
  readonly registryId: string;
  readonly repository: RepositoryName;
  readonly repositoryId: bigint;
  /** The database's clock before anything was asked of the registry, as exact as it tells it. */
  readonly askedAt: string;
  /** What placements say that they were seen by. */
  readonly lookId: string;
}

/** What a walk over manifests writes. It needs no lease: what was read and hashed is true whoever writes it. */
export class ReferenceRecords implements Pick<RepositoryRecords, 'statusOf' | 'keepManifests' | 'keepPlaces' | 'noteUnreadable'> {
  readonly at: ReferencesAt;
  readonly #database: Database;

  constructor(database: Database, at: ReferencesAt) {
    this.#database = database;
    this.at = at;
  }

  async statusOf(digests: readonly Digest[]): Promise<readonly ManifestStatus[]> {
    return await manifestStatuses(this.#database.tables, this.at, digests);
  }

  async keepManifests(manifests: readonly ManifestFacts[]): Promise<void> {
    await this.#database.transaction((tables) => keepManifests(tables, this.#seen, manifests));
  }

  async keepPlaces(digests: readonly Digest[]): Promise<void> {
    await this.#database.transaction((tables) => keepPlaces(tables, this.#seen, digests));
  }

  async noteUnreadable(digest: Digest, problem: Problem): Promise<void> {
    await noteUnreadable(this.#database.tables, { ...this.at, digest, problem });
  }

  get #seen() {
    return { ...this.at, lease: { crawlId: this.at.lookId } };
  }
}
