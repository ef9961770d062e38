import { Module } from '@nestjs/common';
import { Collections, Database, TopologyRevisions } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { CollectionsController } from './collections.controller.js';
import { RequestCollection } from './request-collection.js';

@Module({
  controllers: [CollectionsController],
  providers: [
    IdempotentRequests,
    { provide: Collections, inject: [Database], useFactory: (database: Database) => new Collections(database) },
    {
      provide: RequestCollection,
      inject: [TopologyRevisions, Collections],
      useFactory: (revisions: TopologyRevisions, collections: Collections) => new RequestCollection({ revisions, collections }),
    },
  ],
})
export class CollectionsModule {}
