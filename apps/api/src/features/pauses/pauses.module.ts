import { Module } from '@nestjs/common';
import { Pauses, TopologyRevisions } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { CreatePauses } from './create-pauses.js';
import { PausesController } from './pauses.controller.js';

@Module({
  controllers: [PausesController],
  providers: [
    IdempotentRequests,
    {
      provide: CreatePauses,
      inject: [TopologyRevisions, Pauses],
      useFactory: (revisions: TopologyRevisions, pauses: Pauses) => new CreatePauses({ revisions, pauses }),
    },
  ],
})
export class PausesModule {}
