import { EventEmitter } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** What is worth waking up for. Notifications only hint; the tables say what is to be done. */
export const channels = {
  outbox: 'waybill_outbox',
  provenance: 'waybill_provenance',
  promotion: 'waybill_promotion',
  topology: 'waybill_topology',
} as const;
export type Channel = keyof typeof channels;

const reconnectMs = 1_000;

/**
 * Listens on one connection of its own (LISTEN/NOTIFY), and reconnects for as long as it is open.
 * Every handler is also called once after each (re)connection, since something may have been missed.
 */
export class Notifications {
  readonly #url: string;
  readonly #onTrouble: (error: unknown) => void;
  readonly #handlers = new EventEmitter();
  readonly #closing = new AbortController();
  #client: pg.Client | undefined;
  #running: Promise<void> | undefined;

  constructor(url: string, onTrouble: (error: unknown) => void) {
    this.#url = url;
    this.#onTrouble = onTrouble;
  }

  /** `handler` gets the payload, empty after a reconnection. Register before `start`. */
  on(channel: Channel, handler: (payload: string) => void): void {
    this.#handlers.on(channels[channel], handler);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client?.end();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#listenUntilLost();
      } catch (error) {
        if (!signal.aborted) this.#onTrouble(error);
      }
      await wait(reconnectMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #listenUntilLost(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 5_000, keepAlive: true });
    const lost = new Promise<void>((resolve, reject) => {
      client.once('end', resolve);
      client.once('error', reject);
    });
    lost.catch(() => undefined);
    client.on('notification', ({ channel, payload }) => this.#handlers.emit(channel, payload ?? ''));
    await client.connect();
    this.#client = client;
    if (this.#closing.signal.aborted) await client.end();
    else {
      for (const channel of this.#handlers.eventNames()) await client.query(`LISTEN ${client.escapeIdentifier(String(channel))}`);
      for (const channel of this.#handlers.eventNames()) this.#handlers.emit(channel, '');
    }
    await lost;
  }
}
