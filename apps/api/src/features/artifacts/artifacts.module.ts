import { Module } from '@nestjs/common';
import type { ApiConfig } from '@waybill/config';
import { ArtifactReadModel, Database, InventoryRelations, PromotionReadModel, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { openRegistryReader } from '../../infrastructure/open-registry-reader.js';
import { CONFIG } from '../../infrastructure/tokens.js';
import { ArtifactsController } from './artifacts.controller.js';
import { FindArtifact } from './find-artifact.js';
import { ResolveArtifact } from './resolve-artifact.js';

@Module({
  controllers: [ArtifactsController],
  providers: [
    {
      provide: FindArtifact,
      inject: [CONFIG, TopologyRevisions, RegistryClients, ArtifactReadModel, PromotionReadModel, Database],
      useFactory: (
        { registryDeadlineMs }: ApiConfig,
        revisions: TopologyRevisions,
        clients: RegistryClients,
        artifacts: ArtifactReadModel,
        promotions: PromotionReadModel,
        database: Database,
      ) => {
        const relations = new InventoryRelations(database);
        return new FindArtifact({
          ...{ revisions, artifacts, promotions, relations, registryDeadlineMs },
          open: openRegistryReader(clients, revisions),
        });
      },
    },
    {
      provide: ResolveArtifact,
      inject: [CONFIG, TopologyRevisions, RegistryClients],
      useFactory: ({ registryDeadlineMs }: ApiConfig, revisions: TopologyRevisions, clients: RegistryClients) =>
        new ResolveArtifact({ revisions, open: openRegistryReader(clients, revisions), registryDeadlineMs }),
    },
  ],
})
export class ArtifactsModule {}
