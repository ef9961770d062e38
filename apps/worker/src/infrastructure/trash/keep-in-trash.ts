import { type Manifest, type RepositoryName, type Tag, trashRepositoryOf } from '@waybill/oci-model';
import type { RetentionTrash } from '@waybill/persistence';
import { isListOfReferrers, subjectsOf, TrashError, trashTagOf } from '@waybill/retention';
import { bringGraph, manifestsBeneath } from './bring-graph.js';
import type { OpenedTrash } from './trash-clients.js';

export interface KeepInTrashOptions {
  readonly trash: Pick<RetentionTrash, 'begin' | 'kept'>;
  readonly opened: OpenedTrash;
  readonly registryId: string;
  readonly repository: RepositoryName;
  readonly runId: string;
  /** How long it can be brought back. */
  readonly ttlMs: number;
}

/** A manifest that is about to be deleted, and the tags that name it. */
export interface DepartingManifest {
  readonly manifest: Manifest;
  readonly tags: readonly Tag[];
}

/** What a run deletes from one repository is held in the trash of that repository first. */
export class KeepInTrash {
  readonly #options: KeepInTrashOptions;

  constructor(options: KeepInTrashOptions) {
    this.#options = options;
  }

  /**
   * Holds it with all beneath it; said twice it is the same.
   * Rejects with TrashError `trash-emptying`, ContentError and CopyError: then it must not be deleted.
   */
  async keep({ manifest, tags }: DepartingManifest, signal: AbortSignal): Promise<void> {
    const { trash, opened, registryId, repository, runId, ttlMs } = this.#options;
    const { digest, bytes, mediaType } = manifest;
    const isHeld = !isListOfReferrers(manifest, tags);
    const trashRepository = trashRepositoryOf(repository);
    const begun = await trash.begin({
      ...{ registryId, repository, runId, digest, mediaType, manifest: bytes, tags, ttlMs },
      holds: isHeld ? await manifestsBeneath(opened, repository, manifest, signal) : [],
      refers: subjectsOf(manifest, tags),
      ...(isHeld ? { trashRepository } : {}),
    });
    if (begun === 'emptying') throw emptying(repository);
    if (isHeld) await bringGraph(opened, digest, { from: repository, to: trashRepository, tags: [trashTagOf(digest)] }, signal);
    await trash.kept(begun.id);
  }
}

function emptying(repository: RepositoryName): TrashError {
  return new TrashError(`the trash of ${repository} is just being emptied of something that is needed there`, {
    code: 'trash-emptying',
    operation: 'keep in trash',
    retryable: true,
  });
}
