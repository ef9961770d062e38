import { Module } from '@nestjs/common';
import type { ApiConfig } from '@waybill/config';
import { PromotionWriter, TopologyRevisions } from '@waybill/persistence';
import { RegistryClients } from '@waybill/registry-clients';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { openRegistryReader } from '../../infrastructure/open-registry-reader.js';
import { CONFIG } from '../../infrastructure/tokens.js';
import { EstimatesController } from './estimates.controller.js';
import { PlanPromotion } from './plan-promotion.js';
import { PromotionControlController } from './promotion-control.controller.js';
import { PromotionsController } from './promotions.controller.js';
import { RequestPromotion } from './request-promotion.js';
import { requestReadersOf } from './request-readers.js';

@Module({
  controllers: [PromotionsController, EstimatesController, PromotionControlController],
  providers: [
    IdempotentRequests,
    {
      provide: PlanPromotion,
      inject: [CONFIG, TopologyRevisions, RegistryClients],
      useFactory: ({ registryDeadlineMs }: ApiConfig, revisions: TopologyRevisions, clients: RegistryClients) =>
        new PlanPromotion({ revisions, readersOf: requestReadersOf(openRegistryReader(clients, revisions)), registryDeadlineMs }),
    },
    {
      provide: RequestPromotion,
      inject: [PlanPromotion, PromotionWriter],
      useFactory: (planner: PlanPromotion, writer: PromotionWriter) => new RequestPromotion({ planner, writer }),
    },
  ],
})
export class PromotionsModule {}
