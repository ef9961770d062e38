import type pg from 'pg';
import type { Credentials } from './server-folder.js';

/** Owns the database of the application and everything in its schema `public`. */
export const ownerRole = 'waybill';
/** The queue's own role: when it is locked out, the application still works. */
export const queueRole = 'waybill_queue';
/** The only schema in which the queue's tables stand; its name is BullMQ's default. */
export const queueSchema = 'bullmq';
export const databaseName = 'waybill';

/** Makes both roles, or gives them the passwords of the credentials file again. `client` is the superuser. */
export async function layOutRoles(client: pg.Client, passwords: Pick<Credentials, 'owner' | 'queue'>): Promise<void> {
  for (const [role, password] of [
    [ownerRole, passwords.owner],
    [queueRole, passwords.queue],
  ] as const) {
    const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
    const verb = known.rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(`${verb} ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${client.escapeLiteral(password)}`);
  }
}

/** Makes a database for the application when it does not exist. `client` is the superuser. */
export async function createDatabase(client: pg.Client, name: string, template?: string): Promise<void> {
  const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (known.rowCount !== 0) return;
  const from = template === undefined ? '' : ` TEMPLATE ${client.escapeIdentifier(template)}`;
  await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)} OWNER ${ownerRole}${from}`);
}

/**
 * Gives each role its part of a database; `client` is the superuser, connected to that database.
 *
 * The queue's role owns its schema and has nothing in `public`. It also gets CREATE on the database:
 * BullMQ's migrations open with CREATE SCHEMA IF NOT EXISTS, for which PostgreSQL asks that right
 * even when the schema is there.
 */
export async function layOutDatabase(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  const database = client.escapeIdentifier(rows[0]?.name ?? databaseName);
  await client.query(`
    REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
    GRANT CONNECT, CREATE ON DATABASE ${database} TO ${queueRole};
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    CREATE SCHEMA IF NOT EXISTS ${queueSchema} AUTHORIZATION ${queueRole};
    ALTER ROLE ${queueRole} IN DATABASE ${database} SET search_path = ${queueSchema};
  `);
}
