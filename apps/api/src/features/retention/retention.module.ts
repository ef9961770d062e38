import { Module } from '@nestjs/common';
import { Database, Holds, RetentionApprovals, RetentionPolicies, RetentionRuns, TopologyRevisions } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { HoldsController } from './holds.controller.js';
import { PlaceHold } from './place-hold.js';
import { RetentionApprovalsController } from './retention-approvals.controller.js';
import { RetentionPoliciesController } from './retention-policies.controller.js';
import { RetentionRunsController } from './retention-runs.controller.js';

const stores = [Holds, RetentionApprovals, RetentionPolicies, RetentionRuns] as const;

@Module({
  controllers: [RetentionPoliciesController, RetentionRunsController, RetentionApprovalsController, HoldsController],
  providers: [
    IdempotentRequests,
    ...stores.map((Store) => ({ provide: Store, inject: [Database], useFactory: (database: Database) => new Store(database) })),
    {
      provide: PlaceHold,
      inject: [TopologyRevisions, Holds],
      useFactory: (revisions: TopologyRevisions, holds: Holds) => new PlaceHold({ revisions, holds }),
    },
  ],
})
export class RetentionModule {}
