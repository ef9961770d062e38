import { Module } from '@nestjs/common';
import { RegistryChecks, TopologyRevisions } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { RegistryChecksController } from './registry-checks.controller.js';
import { RequestRegistryCheck } from './request-registry-check.js';

@Module({
  controllers: [RegistryChecksController],
  providers: [
    IdempotentRequests,
    {
      provide: RequestRegistryCheck,
      inject: [TopologyRevisions, RegistryChecks],
      useFactory: (revisions: TopologyRevisions, checks: RegistryChecks) => new RequestRegistryCheck({ revisions, checks }),
    },
  ],
})
export class RegistryChecksModule {}
