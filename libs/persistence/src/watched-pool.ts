import pg from 'pg';

/** Told when the connections of a pool end unasked, once however many do, and when one was made again. */
export interface PoolWatch {
  readonly onLost?: (error: Error) => void;
  readonly onBack?: () => void;
}

/**
 * A pool that survives its server. An error that nobody listens to ends the process, and Prisma's adapter (7.10) listens to
 * a connection only some microtasks after the pool (pg-pool 3.14) has stopped to: what a server that shuts down says right
 * behind its greeting, as a busy process reads it, comes in between.
 */
export function watchedPool(config: pg.PoolConfig, { onLost, onBack }: PoolWatch = {}): pg.Pool {
  const pool = new pg.Pool(config);
  let isLost = false;
  const lost = (error: Error): void => {
    if (isLost) return;
    isLost = true;
    onLost?.(error);
  };
  pool.on('error', lost);
  pool.on('connect', (client) => {
    if (isLost) onBack?.();
    isLost = false;
    client.on('error', lost);
  });
  return pool;
}
