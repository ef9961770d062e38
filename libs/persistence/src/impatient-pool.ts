import type { Socket } from 'node:net';
import type pg from 'pg';

/**
 * Makes a pool cut a connection, taken out of it, on which nothing has come or gone for `silenceMs` (milliseconds).
 * What waits for an answer is rejected then, the pool opens another connection, and the server rolls back what the cut one had begun.
 * `query_timeout` of pg would only forget the statement, and a ROLLBACK behind it unsent: its connection would come back in mid-transaction.
 */
export function cutSilentConnections(pool: pg.Pool, silenceMs: number): void {
  const watched = new WeakSet<Socket>();
  pool.on('acquire', (client) => {
    const socket = socketOf(client);
    socket.setTimeout(silenceMs);
    if (watched.has(socket)) return;
    watched.add(socket);
    socket.on('timeout', () => socket.destroy());
  });
  pool.on('release', (_error, client) => {
    socketOf(client).setTimeout(0);
  });
}

/** With TLS the socket changes while the connection is made: it is looked up anew each time. */
function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}
