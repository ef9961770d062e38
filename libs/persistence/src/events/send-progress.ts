import type { Database } from '../database.js';
import { channels } from '../notifications.js';

/** PostgreSQL takes notifications of less than 8,000 bytes ("NOTIFY", PostgreSQL 17). */
export const maxPayloadBytes = 7_999;

/** Tells whoever listens of bytes under way, in one statement. Nothing is kept, and nothing is written. */
export async function sendProgress(database: Database, payloads: readonly string[]): Promise<void> {
  await database.tables.$executeRaw`SELECT pg_notify(${channels.progress}, payload) FROM unnest(${payloads}::text[]) AS payload`;
}
