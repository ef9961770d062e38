import { z } from 'zod';
import { Count, Text, Timestamp } from './primitives.js';

/** Of Distribution 2 and 3; others that speak like them send plain JSON. */
export const notificationMediaTypes = [
  'application/vnd.docker.distribution.events.v1+json',
  'application/vnd.docker.distribution.events.v2+json',
  'application/json',
] as const;

const maxEvents = 1_000;

/**
 * What a registry sends. Each event is read by itself: one that is not understood must not keep the rest back, since a registry
 * sends a delivery that was refused again and again, before all others.
 */
export const RegistryNotifications = z
  .object({
    events: z.array(z.record(z.string(), z.unknown()).describe('one event')).max(maxEvents).describe('what happened, oldest first'),
  })
  .meta({
    id: 'RegistryNotifications',
    description: 'a delivery of Distribution notifications; fields that are not known are passed over',
  });
export type RegistryNotifications = z.infer<typeof RegistryNotifications>;

const Word = Text(255).min(1);

/** What is read of an event (Distribution 3.0, "Notifications"). Its addresses are of no interest: none is followed. */
export const RegistryEvent = z.object({
  id: Word,
  action: z.string().max(50),
  target: z.object({
    mediaType: z.string().max(255).optional(),
    digest: z.string().max(255).optional(),
    repository: Word,
    tag: z.string().max(255).optional(),
  }),
  request: z.object({ useragent: z.string().max(2_000).optional() }).optional(),
  actor: z.object({ name: z.string().max(2_000).optional() }).optional(),
  source: z.object({ instanceID: Word }),
});
export type RegistryEvent = z.infer<typeof RegistryEvent>;

/** Why it became unknown what was pulled; docs/notifications.md says more of each. */
export const gapReasons = ['begun', 'instance', 'silence', 'heartbeat', 'unreadable', 'overflow'] as const;

export const RegistryFeed = z
  .object({
    registry: z.string().describe('name of the registry'),
    heartbeatSeconds: Count.describe('each of its processes is heard at least this often, or something may be lost'),
    heardAt: Timestamp.optional().describe('when the last heartbeat was sent that it told of; absent before the first'),
    pullsKnownSince: Timestamp.optional().describe('since when every pull is known; absent while that is unknown'),
    gap: z
      .object({
        at: Timestamp.describe('when that was noticed'),
        reason: z.enum(gapReasons).describe('what was noticed'),
      })
      .describe('the last time that something may have been lost'),
    gaps: Count.describe('how often what was known was lost'),
    waiting: Count.describe('tags and digests that the registry told of and that are still to be asked about'),
  })
  .meta({ id: 'RegistryFeed', description: 'how well a registry is heard' });
export type RegistryFeed = z.infer<typeof RegistryFeed>;
