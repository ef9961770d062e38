import { Module } from '@nestjs/common';
import {
  CrawlSchedules,
  Database,
  InventoryCrawls,
  InventoryManifests,
  InventoryRepositories,
  InventorySearch,
  InventoryTags,
  TopologyRevisions,
} from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { CrawlsController } from './crawls.controller.js';
import { InventoryController } from './inventory.controller.js';
import { InventoryPlaces } from './inventory-places.js';
import { RequestCrawl } from './request-crawl.js';
import { SearchController } from './search.controller.js';

const readModels = [InventoryRepositories, InventoryTags, InventoryManifests, InventoryCrawls, InventorySearch] as const;

@Module({
  controllers: [InventoryController, CrawlsController, SearchController],
  providers: [
    IdempotentRequests,
    ...readModels.map((ReadModel) => ({
      provide: ReadModel,
      inject: [Database],
      useFactory: (database: Database) => new ReadModel(database),
    })),
    {
      provide: InventoryPlaces,
      inject: [TopologyRevisions, InventoryRepositories],
      useFactory: (revisions: TopologyRevisions, repositories: InventoryRepositories) => new InventoryPlaces({ revisions, repositories }),
    },
    {
      provide: RequestCrawl,
      inject: [InventoryPlaces, Database],
      useFactory: (places: InventoryPlaces, database: Database) => new RequestCrawl({ places, schedules: new CrawlSchedules(database) }),
    },
  ],
})
export class InventoryModule {}
