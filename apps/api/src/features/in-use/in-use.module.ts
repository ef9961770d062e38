import { Module } from '@nestjs/common';
import { Database, InUse } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { InUseController } from './in-use.controller.js';

@Module({
  controllers: [InUseController],
  providers: [IdempotentRequests, { provide: InUse, inject: [Database], useFactory: (database: Database) => new InUse(database) }],
})
export class InUseModule {}
