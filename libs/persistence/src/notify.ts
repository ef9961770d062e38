import type { Tables } from './database.js';
import { type Channel, channels } from './notifications.js';

/** Sent when the surrounding transaction commits. */
export async function notify(tables: Tables, channel: Channel, payload = ''): Promise<void> {
  await tables.$executeRaw`SELECT pg_notify(${channels[channel]}, ${payload})`;
}
