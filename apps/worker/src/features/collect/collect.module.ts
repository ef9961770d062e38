import { hostname } from 'node:os';
import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import { ControlClient } from '@waybill/embedded';
import type { Logger } from '@waybill/observability';
import { CollectionLeases, Database, endHopelessCollections, Notifications } from '@waybill/persistence';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { CollectRegistries } from './collect-registries.js';

/** A notification wakes it; the tick is for collections whose worker died. */
const tickMs = 2_000;
const hopelessTickMs = 30_000;
const copiesDrainMs = 10 * 60_000;
const pollMs = 250;
const retryMs = 2_000;

/** Collects the local registries of the `waybill up` that started this worker; every worker ends what nobody will. */
@Module({})
export class CollectModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  readonly #collector: CollectRegistries | undefined;
  readonly #notifications: Notifications;
  readonly #collecting: WokenLoop | undefined;
  readonly #hopeless: WokenLoop;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(@Inject(CONFIG) config: WorkerConfig, @Inject(LOGGER) logger: Logger, database: Database, notifications: Notifications) {
    const collector = collectorOf(config, logger, database);
    this.#collector = collector;
    this.#notifications = notifications;
    this.#drainMs = config.drainMs;
    this.#hopeless = new WokenLoop(() => endHopelessCollections(database), logger.child({ work: 'end-hopeless-collections' }));
    if (collector === undefined) return;
    const collecting = new WokenLoop(() => collector.begin(() => collecting.wake()), logger.child({ work: 'collect-registries' }));
    this.#collecting = collecting;
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('collection', () => this.#collecting?.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#collecting?.wake();
  }

  @Interval(hopelessTickMs)
  tickHopeless(): void {
    this.#hopeless.wake();
  }

  /** Ends the collections and waits for none of them: runs of promotions drain in the same time. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.#hopeless.close(), this.#collecting?.close()]);
    this.#drained = answersWithin(this.#drainMs, Promise.resolve(this.#collector?.close()));
  }

  /** What is not handed over in time is taken up when its lease ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }
}

function collectorOf(
  { controlSocket, dispatchLeaseMs: leaseMs }: WorkerConfig,
  logger: Logger,
  database: Database,
): CollectRegistries | undefined {
  if (controlSocket === undefined) return undefined;
  return new CollectRegistries({
    leases: new CollectionLeases(database, { leaseMs }),
    supervisor: new ControlClient(controlSocket),
    leaseMs,
    drainMs: copiesDrainMs,
    pollMs,
    retryMs,
    workerId: `${hostname()}:${process.pid}`,
    logger,
  });
}
