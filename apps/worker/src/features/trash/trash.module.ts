import { hostname } from 'node:os';
import {
  type BeforeApplicationShutdown,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { WorkerConfig } from '@waybill/config';
import { type Logger, Metrics } from '@waybill/observability';
import type { RepositoryName } from '@waybill/oci-model';
import {
  Database,
  Notifications,
  purgeLookRecords,
  PurgeRecords,
  RegistryChecks,
  RetentionTrash,
  TopologyRevisions,
  type TrashRequestLease,
  TrashRequestLeases,
} from '@waybill/persistence';
import { answersWithin } from '../../infrastructure/answers-within.js';
import { CONFIG, LOGGER } from '../../infrastructure/tokens.js';
import { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import { WokenLoop } from '../../infrastructure/woken-loop.js';
import { CarryOutPurge } from './carry-out-purge.js';
import { CarryOutRestore } from './carry-out-restore.js';
import { EmptyTrash } from './empty-trash.js';
import type { LookRecordsOf } from './look-before-purge.js';
import { RunTrashRequests } from './run-trash-requests.js';

/** What was asked for wakes it; the tick is for what is due by itself. */
const tickMs = 5_000;
const retryMs = 5_000;

/** Brings back from the trash, empties it, and deletes at once what may not even be there. */
@Module({
  providers: [
    {
      provide: TrashClients,
      inject: [CONFIG, LOGGER, Metrics, Database, TopologyRevisions],
      useFactory: (config: WorkerConfig, logger: Logger, metrics: Metrics, database: Database, revisions: TopologyRevisions) =>
        new TrashClients({ config, logger, metrics, revisions, checks: new RegistryChecks(database) }),
    },
  ],
})
export class TrashModule implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #clients: TrashClients;
  readonly #notifications: Notifications;
  readonly #emptying: EmptyTrash;
  readonly #carrying: RunTrashRequests;
  readonly #empties: WokenLoop;
  readonly #requests: WokenLoop;
  readonly #drainMs: number;
  #drained: Promise<boolean> = Promise.resolve(true);

  constructor(
    @Inject(TrashClients) clients: TrashClients,
    database: Database,
    notifications: Notifications,
    @Inject(CONFIG) { drainMs, dispatchLeaseMs: leaseMs }: WorkerConfig,
    @Inject(LOGGER) logger: Logger,
  ) {
    const common = { clients, leaseMs, retryMs, workerId: `${hostname()}:${process.pid}`, logger };
    this.#clients = clients;
    this.#notifications = notifications;
    this.#drainMs = drainMs;
    this.#emptying = new EmptyTrash({ ...common, trash: new RetentionTrash(database) });
    const leases = new TrashRequestLeases(database, { leaseMs });
    const restore = new CarryOutRestore({ leases, clients });
    const recordsOf = (lease: TrashRequestLease, repository: RepositoryName) => new PurgeRecords(database, lease, repository);
    const lookRecordsOf: LookRecordsOf = (lease, options) => purgeLookRecords(database, lease, options);
    this.#carrying = new RunTrashRequests({
      ...common,
      leases,
      kinds: { restore, purge: new CarryOutPurge({ leases, clients, recordsOf, lookRecordsOf }) },
    });
    this.#empties = new WokenLoop(() => this.#emptying.empty(), logger.child({ work: 'empty-trash' }));
    this.#requests = new WokenLoop(() => this.#carrying.run(), logger.child({ work: 'run-trash-requests' }));
  }

  onApplicationBootstrap(): void {
    this.#notifications.on('retention', () => this.#requests.wake());
  }

  @Interval(tickMs)
  tick(): void {
    this.#empties.wake();
    this.#requests.wake();
  }

  /** Ends what is under way and does not wait for it: runs of promotions drain in the same time. */
  onModuleDestroy(): void {
    this.#emptying.close();
    this.#carrying.close();
    this.#drained = answersWithin(this.#drainMs, Promise.all([this.#empties.close(), this.#requests.close()]));
  }

  /** What is not handed over in time is taken up when its lease ends. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#drained;
  }

  onApplicationShutdown(): void {
    this.#clients.close();
  }
}
