import { createHmac } from 'node:crypto';

/** What a local registry shows when it tells what happens there: for each registry another, of one key. */
export function localNotificationSecret(key: string, registry: string): string {
  return createHmac('sha256', Buffer.from(key, 'hex')).update(`notifications of ${registry}`).digest('hex');
}
