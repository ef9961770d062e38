import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** What is worth waking up for. Notifications only hint; the tables say what is to be done. */
export const channels = {
  outbox: 'waybill_outbox',
  promotion: 'waybill_promotion',
  topology: 'waybill_topology',
  cancellation: 'waybill_cancellation',
  pause: 'waybill_pause',
  registryCheck: 'waybill_registry_check',
  crawl: 'waybill_crawl',
  collection: 'waybill_collection',
  retention: 'waybill_retention',
  event: 'waybill_event',
  progress: 'waybill_progress',
} as const;
export type Channel = keyof typeof channels;

const reconnectMs = 1_000;
const connectTimeoutMs = 5_000;

/**
 * Listens on one connection of its own (LISTEN/NOTIFY), and reconnects for as long as it is open.
 * Every handler is also called once after each (re)connection, since something may have been missed.
 */
export class Notifications {
  readonly #url: string;
  readonly #onTrouble: (error: unknown) => void;
  readonly #handlers = new EventEmitter();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(url: string, onTrouble: (error: unknown) => void) {
    this.#url = url;
    this.#onTrouble = onTrouble;
  }

  /** `handler` gets the payload, empty after a reconnection; it must not throw. Register before `start`. */
  on(channel: Channel, handler: (payload: string) => void): void {
    this.#handlers.on(channels[channel], handler);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when no connection is left, whether it was listening, connecting or between two connections. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#listenUntilLost(signal);
      } catch (error) {
        if (!this.#closing.signal.aborted) this.#onTrouble(error);
      }
      await wait(reconnectMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #listenUntilLost(signal: AbortSignal): Promise<void> {
    // A socket of our own: a client that is still connecting, or whose server hangs, cannot be ended in words.
    const socket = new Socket();
    const destroy = (): void => void socket.destroy();
    signal.addEventListener('abort', destroy, { once: true });
    try {
      const client = new pg.Client({
        connectionString: this.#url,
        connectionTimeoutMillis: connectTimeoutMs,
        keepAlive: true,
        stream: () => socket,
      });
      client.on('notification', ({ channel, payload }) => this.#handlers.emit(channel, payload ?? ''));
      const lost = new Promise<void>((resolve, reject) => {
        client.once('end', resolve);
        // A server that ends the connection says so twice: in words, and by ending it.
        client.on('error', reject);
      });
      await Promise.race([this.#listen(client), lost]);
      await lost;
    } finally {
      signal.removeEventListener('abort', destroy);
      socket.destroy();
    }
  }

  async #listen(client: pg.Client): Promise<void> {
    await client.connect();
    for (const channel of this.#handlers.eventNames()) await client.query(`LISTEN ${client.escapeIdentifier(String(channel))}`);
    for (const channel of this.#handlers.eventNames()) this.#handlers.emit(channel, '');
  }
}
