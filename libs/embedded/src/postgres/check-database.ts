import pg from 'pg';
import { EmbeddedError } from '../embedded-error.js';
import { messageOf } from '../process/system-error.js';

const timeoutMs = 5_000;

/**
 * Connects once to a database that stands in for the embedded one, so that a wrong address, role or password
 * is told before anything is started. The message names host and database, never the password.
 * Code: `database-unusable`.
 */
export async function checkDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  // Nothing waits for this connection any more when it breaks after the answer.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } catch (cause) {
    const { host, port, database } = client;
    throw new EmbeddedError(`the database ${database ?? ''} at ${host}:${port} cannot be used: ${reasonOf(cause)}`, {
      code: 'database-unusable',
      operation: 'check the database',
      retryable: true,
      details: { host, port },
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Node tells of several addresses that failed by an error without words. */
function reasonOf(cause: unknown): string {
  const reasons = cause instanceof AggregateError ? cause.errors.map(messageOf) : [messageOf(cause)];
  return reasons.join('; ');
}
