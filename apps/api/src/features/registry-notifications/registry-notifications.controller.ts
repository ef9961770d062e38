import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiConsumes, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { notificationMediaTypes, RegistryNotifications } from '@waybill/contracts/http';
import { ForRegistries } from '../../http/access-rule.js';
import { Documented } from '../../http/api-documentation.js';
import { TakesBody } from '../../http/takes-body.js';
import { CurrentSender, SenderGuard } from './sender.guard.js';
import type { Sender } from './senders.js';
import { TakeNotifications } from './take-notifications.js';

@ApiTags('registries')
@Controller('api/v1/registries')
export class RegistryNotificationsController {
  readonly #takeNotifications: TakeNotifications;

  constructor(takeNotifications: TakeNotifications) {
    this.#takeNotifications = takeNotifications;
  }

  @Post(':name/notifications')
  @HttpCode(204)
  @ForRegistries()
  @UseGuards(SenderGuard)
  @ApiSecurity('registry')
  @TakesBody(...notificationMediaTypes)
  @ApiConsumes(...notificationMediaTypes)
  @Documented({
    summary: 'For registries: tell what was pushed, pulled and deleted, with the secret that the topology names',
    audience: 'operators',
    status: 204,
    parameters: { name: 'name of a registry' },
    body: true,
    open: true,
    problems: ['unauthenticated', 'unavailable'],
  })
  async take(@CurrentSender() sender: Sender, @Body({ schema: RegistryNotifications }) { events }: RegistryNotifications): Promise<void> {
    await this.#takeNotifications.take(sender, events);
  }
}
