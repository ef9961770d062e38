import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** PostgreSQL's internal type "char", which its catalogs use, and `text`, which stands in for it. */
const INTERNAL_CHAR = 18;
const TEXT = 25;

/** Which columns of the answer to the query at hand are of the internal "char". */
const internalChars = new AsyncLocalStorage();

/**
 * The adapter knows no internal "char" and would refuse the answers of the catalogs, while the engine wants them as
 * characters. So the pool disguises such columns, and `connect` says what they are.
 */
class CatalogPool extends pg.Pool {
  /**
   * @override
   * @param {any} config the overloads of `pg` cannot be said again in one signature
   * @returns {Promise<any>}
   */
  async query(config) {
    const answer = await super.query(config);
    return Array.isArray(answer) ? answer : disguised(answer);
  }
}

/** @param {pg.QueryArrayResult} answer */
function disguised(answer) {
  const isInternal = answer.fields.map(({ dataTypeID }) => dataTypeID === INTERNAL_CHAR);
  internalChars.getStore()?.push(...isInternal);
  return { ...answer, fields: answer.fields.map((field, index) => (isInternal[index] ? { ...field, dataTypeID: TEXT } : field)) };
}

/**
 * How the engine reaches the database, and the empty one in which it tries migrations.
 * The latter is removed when the engine lets it go.
 *
 * @param {string} url
 * @returns {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory}
 */
export function migrationAdapter(url) {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(url),
    async connectToShadowDb() {
      const name = `waybill_shadow_${randomUUID().replaceAll('-', '')}`;
      await execute(url, `CREATE DATABASE ${name}`);
      const shadow = await connect(withDatabase(url, name));
      const dispose = shadow.dispose.bind(shadow);
      shadow.dispose = async () => {
        await dispose();
        await execute(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      };
      return shadow;
    },
  };
}

/** @param {string} url */
export async function assertReachable(url) {
  await execute(url, 'SELECT 1');
}

/** @param {string} url */
async function connect(url) {
  const pool = new CatalogPool({ connectionString: withoutSchema(url) });
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect();
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    /** @type {boolean[]} */
    const isInternal = [];
    const result = await internalChars.run(isInternal, () => queryRaw(query));
    return { ...result, columnTypes: result.columnTypes.map((type, index) => (isInternal[index] ? ColumnTypeEnum.Character : type)) };
  };
  // The adapter cuts a script at every semicolon, those of comments and function bodies too.
  adapter.executeScript = async (script) => {
    await pool.query(script);
  };
  return adapter;
}

/** @param {string} url @param {string} sql */
async function execute(url, sql) {
  const client = new pg.Client({ connectionString: withoutSchema(url), connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** @param {string} url @param {string} database */
function withDatabase(url, database) {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** `?schema=` is Prisma's own; the server knows no such setting. @param {string} url */
function withoutSchema(url) {
  const changed = new URL(url);
  changed.searchParams.delete('schema');
  return changed.href;
}
