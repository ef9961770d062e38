import { Body, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiConsumes, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { notificationMediaTypes, RegistryFeed, RegistryNotifications } from '@waybill/contracts/http';
import { NotificationFeeds } from '@waybill/persistence';
import { ForRegistries, Requires } from '../../http/access-rule.js';
import { ApiError } from '../../http/api-error.js';
import { Documented } from '../../http/api-documentation.js';
import { TakesBody } from '../../http/takes-body.js';
import { toRegistryFeed } from './registry-feed.mapper.js';
import { CurrentSender, SenderGuard } from './sender.guard.js';
import type { Sender } from './senders.js';
import { TakeNotifications } from './take-notifications.js';

@ApiTags('registries')
@Controller('api/v1/registries')
export class RegistryNotificationsController {
  readonly #takeNotifications: TakeNotifications;
  readonly #feeds: NotificationFeeds;

  constructor(takeNotifications: TakeNotifications, feeds: NotificationFeeds) {
    this.#takeNotifications = takeNotifications;
    this.#feeds = feeds;
  }

  @Get(':name/notifications')
  @Requires('topology:read')
  @ApiBearerAuth()
  @Documented({
    summary: 'Since when every pull from a registry is known, and why not for longer',
    audience: 'operators',
    status: 200,
    answer: RegistryFeed,
    parameters: { name: 'name of a registry' },
    problems: ['feed-unknown'],
  })
  async show(@Param('name') name: string): Promise<RegistryFeed> {
    const state = (await this.#feeds.states()).find(({ registry }) => registry === name);
    if (state === undefined) throw new ApiError(`no registry "${name}" is to tell what happens there`, { code: 'feed-unknown' });
    return toRegistryFeed(state);
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
