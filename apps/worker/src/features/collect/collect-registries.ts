import { setTimeout as delay } from 'node:timers/promises';
import { type ControlClient, type ControlledRegistry, EmbeddedError } from '@waybill/embedded';
import { systemClock } from '@waybill/kernel';
import type { Logger } from '@waybill/observability';
import { type CollectionLease, type CollectionLeases, type StoredError, storedError } from '@waybill/persistence';
import { isLeaseLost, keepLease } from '../../infrastructure/keep-lease.js';
import { LeasedWork } from '../../infrastructure/leased-work.js';

export interface CollectRegistriesOptions {
  readonly leases: Pick<
    CollectionLeases,
    'claimNext' | 'renew' | 'release' | 'beginDraining' | 'drain' | 'advance' | 'complete' | 'giveUp'
  >;
  /** Runs local registries on this machine. */
  readonly supervisor: Pick<ControlClient, 'registries' | 'collect'>;
  readonly leaseMs: number;
  /** How long copies that have begun may keep a collection waiting. */
  readonly drainMs: number;
  /** Between two looks at the copies that run. */
  readonly pollMs: number;
  /** Before what could not be done now is tried again. */
  readonly retryMs: number;
  /** Names this process in leases. */
  readonly workerId: string;
  readonly logger: Logger;
}

/**
 * Brings collections of the registries beside this worker to their end: copies are drained, and the supervisor does the rest.
 * Whatever ends this process, the supervisor takes the registry back into service, and the next worker goes on from the rows.
 */
export class CollectRegistries {
  readonly #options: CollectRegistriesOptions;
  readonly #work = new LeasedWork();

  constructor(options: CollectRegistriesOptions) {
    this.#options = options;
  }

  /** Begins one collection if one waits; gives how many it began. `onEnd` is called when it has ended. */
  async begin(onEnd: () => void): Promise<0 | 1> {
    const { leases, supervisor, workerId } = this.#options;
    if (this.#work.shutdown.aborted) return 0;
    const registries = await supervisor.registries();
    const since = systemClock.monotonic();
    const lease = await leases.claimNext(
      registries.map(({ name, url }) => ({ name, address: url })),
      workerId,
    );
    if (lease === undefined) return 0;
    const registry = registries.find(({ name }) => name === lease.registry);
    this.#work.begin(this.#run(lease, registry, since), onEnd);
    return 1;
  }

  /** Hands over what is under way. */
  close(): Promise<void> {
    return this.#work.close();
  }

  /** Never rejects. */
  async #run(lease: CollectionLease, registry: ControlledRegistry | undefined, since: number): Promise<void> {
    const { leases, leaseMs, logger } = this.#options;
    const where = { collectionId: lease.id, registry: lease.registry };
    const keeper = keepLease({ renew: () => leases.renew(lease), leaseMs, since, shutdown: this.#work.shutdown });
    try {
      if (registry?.engine === 'docker-registry') await this.#collect(lease, keeper.signal);
      else await leases.giveUp(lease, 'refused', builtIn);
    } catch (error) {
      await this.#leave(lease, error).catch((err: unknown) =>
        logger.warn({ ...where, err }, 'the collection is left until its lease ends'),
      );
    } finally {
      await keeper.stop();
    }
  }

  async #collect(lease: CollectionLease, signal: AbortSignal): Promise<void> {
    const { leases, supervisor, drainMs, logger } = this.#options;
    if (!lease.isDryRun) {
      if (lease.state === 'requested') await leases.beginDraining(lease, drainMs);
      const isDraining = lease.state === 'requested' || lease.state === 'draining';
      if (isDraining && !(await this.#isDrained(lease, signal))) return leases.giveUp(lease, 'refused', copiesRun);
      // Whoever slept until its lease was another's must not have anything removed.
      await leases.advance(lease, 'read-only');
    }
    const { id, registry, isDryRun } = lease;
    const onPhase = (phase: 'read-only' | 'collecting' | 'restarting'): Promise<void> =>
      isDryRun && phase !== 'collecting' ? Promise.resolve() : leases.advance(lease, phase);
    const space = await supervisor.collect({ registry, id, isDryRun, onPhase, signal });
    await leases.complete(lease, space);
    logger.info({ collectionId: id, registry, isDryRun, ...space, log: undefined }, 'the registry is collected');
  }

  /** False when copies have run for too long. */
  async #isDrained(lease: CollectionLease, signal: AbortSignal): Promise<boolean> {
    const { leases, pollMs } = this.#options;
    for (;;) {
      const found = await leases.drain(lease);
      if (found !== 'waiting') return found === 'drained';
      await delay(pollMs, undefined, { signal });
    }
  }

  /** What may yet be done is kept for the next one to try; what failed for good ends. */
  async #leave(lease: CollectionLease, error: unknown): Promise<void> {
    const { leases, logger, retryMs } = this.#options;
    const where = { collectionId: lease.id, registry: lease.registry };
    if (isLeaseLost(error)) {
      logger.warn(where, 'the collection was taken over');
      return;
    }
    if (this.#work.shutdown.aborted) {
      logger.info(where, 'the collection is handed over');
      return leases.release(lease, 0);
    }
    if (error instanceof EmbeddedError && !error.retryable && error.code !== 'cancelled') {
      logger.error({ ...where, err: error }, 'the collection failed');
      return leases.giveUp(lease, 'failed', storedError(error));
    }
    logger.warn({ ...where, err: error }, 'the collection broke off and will be tried again');
    await leases.release(lease, retryMs);
  }
}

const builtIn: StoredError = {
  code: 'collection-unsupported',
  message:
    'the built-in registry serves it, which is for trying out and gives no space back: install docker-registry and push anew, or remove its folder',
  operation: 'collect registry',
  retryable: false,
};

const copiesRun: StoredError = {
  code: 'copies-run',
  message: 'copies to the registry had not ended in time: look at the promotions that run, and ask again',
  operation: 'collect registry',
  retryable: true,
};
