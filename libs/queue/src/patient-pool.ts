import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { ConnectionLog } from './connection-log.js';
import { reconnectDelay } from './timing.js';

/**
 * A pool that waits for PostgreSQL instead of failing, for BullMQ's workers: their first failed call would stay failed
 * for ever (BullMQ 6.7 keeps the promise of its readiness), and later ones would be repeated without a pause.
 * What is an answer of the server, or breaks in mid-query, is thrown as it is.
 */
export class PatientPool extends EventEmitter {
  /** BullMQ looks here whether a dead connection would be noticed. */
  readonly options = { keepAlive: true } as const;
  readonly #pool: pg.Pool;
  readonly #log: ConnectionLog;
  readonly #closing = new AbortController();

  constructor(config: pg.PoolConfig, log: ConnectionLog) {
    super();
    this.#pool = new pg.Pool({ ...config, keepAlive: true });
    this.#log = log;
    this.#pool.on('error', (error) => log.down(error));
    // A client that is lent out and loses its connection emits an error; without a listener that would end the process.
    this.#pool.on('connect', (client) => client.on('error', (error) => log.down(error)));
  }

  async connect(): Promise<pg.PoolClient> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const client = await this.#pool.connect();
        this.#log.up();
        return client;
      } catch (error) {
        if (this.#closing.signal.aborted) throw error;
        this.#log.down(error);
        await delay(reconnectDelay(attempt), undefined, { signal: this.#closing.signal });
      }
    }
  }

  async query(text: string, params?: readonly unknown[]): Promise<pg.QueryResult> {
    const client = await this.connect();
    try {
      const result = await client.query(text, params === undefined ? undefined : [...params]);
      client.release();
      return result;
    } catch (error) {
      // After an answer the connection is good; after anything else, such as a timeout, its state is unknown.
      client.release(!(error instanceof pg.DatabaseError));
      throw error;
    }
  }

  /** Ends every wait and connection. */
  async end(): Promise<void> {
    this.#closing.abort();
    this.#log.close();
    await this.#pool.end();
  }
}
