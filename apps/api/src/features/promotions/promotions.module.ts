import { Module } from '@nestjs/common';
import type { ApiConfig } from '@waybill/config';
import { PromotionWriter, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { openRegistryReader } from '../../infrastructure/open-registry-reader.js';
import { CONFIG } from '../../infrastructure/tokens.js';
import { PromotionControlController } from './promotion-control.controller.js';
import { PromotionsController } from './promotions.controller.js';
import { RequestPromotion } from './request-promotion.js';
import { requestReadersOf } from './request-readers.js';

@Module({
  controllers: [PromotionsController, PromotionControlController],
  providers: [
    IdempotentRequests,
    {
      provide: RequestPromotion,
      inject: [CONFIG, TopologyRevisions, RegistryClients, PromotionWriter],
      useFactory: ({ registryDeadlineMs }: ApiConfig, revisions: TopologyRevisions, clients: RegistryClients, writer: PromotionWriter) =>
        new RequestPromotion({
          revisions,
          readersOf: requestReadersOf(openRegistryReader(clients, revisions)),
          writer,
          registryDeadlineMs,
        }),
    },
  ],
})
export class PromotionsModule {}
