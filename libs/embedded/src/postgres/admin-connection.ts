import pg from 'pg';
import { adminRole } from './cluster.js';

export interface AdminConnection {
  readonly port: number;
  readonly database: string;
  readonly password: string;
}

/** Runs `work` as the superuser on one connection, which is closed after it. */
export async function withAdmin<T>(at: AdminConnection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ host: '127.0.0.1', user: adminRole, ...at, connectionTimeoutMillis: 10_000 });
  // A server that goes away meanwhile is reported by the query; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
