// What the first, a middle and the last page of every list of the inventory read, in shared buffers of PostgreSQL: at a million rows
// at most twice of what it is at ten thousand.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres } from '@waybill/embedded';
import { applyMigrations, Database } from '@waybill/persistence';
import pg from 'pg';
import { lists } from './inventory/lists.mjs';
import { measure } from './inventory/measure.mjs';

const sizes = (process.env.BENCH_ROWS ?? '10000,1000000').split(',').map(Number);
const most = 2;

const dataDir = await mkdtemp(path.join(tmpdir(), 'waybill-bench-'));
// The database runs as nobody when this runs as root.
await chmod(dataDir, 0o711);
const postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres'), durable: false });
try {
  const small = await measureAll(sizes[0]);
  const large = sizes.length > 1 ? await measureAll(sizes[1]) : new Map();
  console.log(`\nbuffers of a page of 50 at ${sizes.join(' and ')} rows`);
  for (const [name, at] of small) {
    const then = large.get(name);
    const ratio = then === undefined ? undefined : then.buffers / at.buffers;
    const tooMuch = ratio > most ? [`more than ${most} times`] : [];
    const faults = [...tooMuch, ...new Set([...at.faults, ...(then?.faults ?? [])])];
    if (faults.length > 0) process.exitCode = 1;
    const figures = `${String(at.buffers).padStart(7)} ${String(then?.buffers ?? '').padStart(7)}  ${ratio?.toFixed(2) ?? ''}`;
    console.log(`${name.padEnd(58)} ${String(at.rows).padStart(3)} rows ${figures}${faults.length === 0 ? '' : `  ${faults.join(', ')}`}`);
  }
} finally {
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function measureAll(rows) {
  const started = performance.now();
  const name = `rows_${rows}`;
  const ofServer = new pg.Client({ connectionString: postgres.adminUrl });
  await ofServer.connect();
  await ofServer.query(`CREATE DATABASE ${name}`);
  await ofServer.end();
  const url = postgres.adminUrl.replace(/\/[^/]*$/, `/${name}`);
  await applyMigrations(url);
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const database = new Database(url, { maxConnections: 1 });
  try {
    await admin.query((await readFile(path.join(import.meta.dirname, 'inventory/fill.sql'), 'utf8')).replaceAll(':rows', String(rows)));
    await admin.query('VACUUM');
    await admin.query('RESET session_replication_role');
    console.log(`filled ${rows} rows in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
    const measured = new Map();
    for (const [list, read] of await lists(database, admin, rows)) measured.set(list, await measure(admin, read));
    return measured;
  } finally {
    await database.close();
    await admin.end();
  }
}
