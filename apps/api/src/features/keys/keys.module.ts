import { Module } from '@nestjs/common';
import { ApiKeys } from '@waybill/persistence';
import { IdempotentRequests } from '../../http/idempotent-requests.js';
import { CreateApiKey } from './create-api-key.js';
import { KeysController } from './keys.controller.js';

@Module({
  controllers: [KeysController],
  providers: [IdempotentRequests, { provide: CreateApiKey, inject: [ApiKeys], useFactory: (keys: ApiKeys) => new CreateApiKey(keys) }],
})
export class KeysModule {}
