import { Module } from '@nestjs/common';
import { Database, RetentionRuns, TopologyRevisions, TrashRequests, TrashRows } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { PurgesController } from './purges.controller.js';
import { RequestPurge } from './request-purge.js';
import { RequestRestore } from './request-restore.js';
import { RestoresController } from './restores.controller.js';
import { TrashController } from './trash.controller.js';

const stores = [RetentionRuns, TrashRequests, TrashRows] as const;

@Module({
  controllers: [TrashController, RestoresController, PurgesController],
  providers: [
    IdempotentRequests,
    ...stores.map((Store) => ({ provide: Store, inject: [Database], useFactory: (database: Database) => new Store(database) })),
    {
      provide: RequestRestore,
      inject: [TopologyRevisions, RetentionRuns, TrashRequests],
      useFactory: (revisions: TopologyRevisions, runs: RetentionRuns, requests: TrashRequests) =>
        new RequestRestore({ revisions, runs, requests }),
    },
    {
      provide: RequestPurge,
      inject: [TopologyRevisions, TrashRequests],
      useFactory: (revisions: TopologyRevisions, requests: TrashRequests) => new RequestPurge({ revisions, requests }),
    },
  ],
})
export class TrashModule {}
