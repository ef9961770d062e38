import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import type { Leaving, RetentionTrash } from '@waybill/persistence';
import { TrashError } from '@waybill/retention';
import { keepLease } from '../../infrastructure/keep-lease.js';
import type { TrashClients } from '../../infrastructure/trash/trash-clients.js';

export interface EmptyTrashOptions {
  readonly trash: Pick<RetentionTrash, 'claimLeaving' | 'left' | 'leaveLater' | 'renew'>;
  readonly clients: Pick<TrashClients, 'open'>;
  readonly leaseMs: number;
  /** Before what could not be removed is tried again. */
  readonly retryMs: number;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly logger: Logger;
}

/** Removes from the trash of registries what has been there for long enough, and what was brought back; one manifest after another. */
export class EmptyTrash {
  readonly #options: EmptyTrashOptions;
  readonly #shutdown = new AbortController();

  constructor(options: EmptyTrashOptions) {
    this.#options = options;
  }

  /** Gives how many it took up. */
  async empty(): Promise<0 | 1> {
    const { trash, leaseMs, workerId } = this.#options;
    if (this.#shutdown.signal.aborted) return 0;
    const since = systemClock.monotonic();
    const leaving = await trash.claimLeaving(workerId, leaseMs);
    if (leaving === undefined) return 0;
    const keeper = keepLease({ renew: () => trash.renew(leaving, leaseMs), leaseMs, since, shutdown: this.#shutdown.signal });
    try {
      await this.#remove(leaving, keeper.signal);
      await trash.left(leaving);
    } catch (error) {
      await this.#leave(leaving, error);
    } finally {
      await keeper.stop();
    }
    return 1;
  }

  /** What is under way breaks off between two requests, and another worker goes on with it. */
  close(): void {
    this.#shutdown.abort(new Error('the worker is stopped'));
  }

  /** Where nobody knows the registry any more, nothing of it is ours to remove. */
  async #remove(leaving: Leaving, signal: AbortSignal): Promise<void> {
    const { trashRepository, manifests, registryId, isReplaced } = leaving;
    if (trashRepository === undefined || manifests.length === 0 || isReplaced) return;
    const { unlisting } = await this.#options.clients.open(registryId);
    const store = unlisting.repository(trashRepository);
    for (const digest of manifests) await store.deleteManifest(digest, signal);
  }

  async #leave(leaving: Leaving, err: unknown): Promise<void> {
    const { trash, retryMs, logger } = this.#options;
    const where = { trashId: leaving.id, registry: leaving.registry };
    const isGone = err instanceof TrashError && (err.code === 'registry-replaced' || err.code === 'registry-unknown');
    if (isGone) {
      await trash.left(leaving);
      return;
    }
    const isStopped = this.#shutdown.signal.aborted;
    if (!isStopped) logger.warn({ ...where, err }, 'the trash could not be emptied and will be tried again');
    await trash.leaveLater(leaving, isStopped ? 0 : retryMs);
  }
}
