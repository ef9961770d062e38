// Plans a stored inventory as a worker does: it reads the inventory from PostgreSQL, plans, and writes the decisions.
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { startEmbeddedPostgres } from '@waybill/embedded';
import { ApiKeys, applyMigrations, Database, RetentionLeases, RetentionRuns, TopologyRevisions } from '@waybill/persistence';
import { parseTopology } from '@waybill/topology';
import pg from 'pg';
import { PlanRun } from '../../apps/worker/dist/features/run-retention/plan-run.js';
import { benchPolicy } from './inventory.mjs';
import { storeInventory } from './stored-inventory.mjs';

/** At the end of a connection URL. */
const databaseName = /[^/]*$/;
const leaseMs = 3_600_000;
const registryOf = (size) => `ci-${size}`;

/** Fills a database with an inventory of each size, and gives what a process of its own measured of each. */
export async function measureStored(sizes, program) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'waybill-bench-'));
  // The database runs as nobody when this runs as root.
  await chmod(dataDir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres') });
  try {
    await applyMigrations(postgres.url);
    const ids = await declareRegistries(postgres.url, sizes);
    // The superuser in the application's database.
    const admin = postgres.adminUrl.replace(databaseName, () => databaseName.exec(postgres.url)[0]);
    const measured = [];
    for (const size of sizes) {
      const started = performance.now();
      await storeInventory(admin, ids.get(registryOf(size)), size);
      await openRun(admin, ids.get(registryOf(size)), size);
      console.error(`${size} manifests stored in ${((performance.now() - started) / 1_000).toFixed(0)} s`);
      const told = execFileSync(process.execPath, [program, '--stored', postgres.url, String(postgres.pid)], { encoding: 'utf8' });
      measured.push(JSON.parse(told));
    }
    return measured;
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

export async function declareRegistries(url, sizes) {
  const database = new Database(url);
  try {
    const principal = { kind: 'service', issuer: 'waybill', subject: 'bench' };
    const key = await new ApiKeys(database).put({ id: randomUUID(), hash: new Uint8Array(32), principal, grants: [] });
    const registries = sizes.map(
      (size) => `  ${registryOf(size)}: { role: ci-snapshots, location: eu, url: "https://${size}.example.com" }`,
    );
    const source = `apiVersion: waybill/v1
kind: Topology
metadata: { name: bench }
locations: { eu: {} }
registries:
${registries.join('\n')}
`;
    const { topology, diagnostics } = parseTopology(source, { file: 'bench' });
    if (topology === undefined) throw new Error(JSON.stringify(diagnostics));
    const revisions = new TopologyRevisions(database);
    await revisions.apply(topology, source, key.principal.id);
    return new Map((await revisions.currentRegistries()).map(({ name, id }) => [name, id]));
  } finally {
    await database.close();
  }
}

export async function openRun(adminUrl, registryId, size) {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const policy = { ...benchPolicy(), name: registryOf(size), registry: registryOf(size) };
  await client.query(
    `INSERT INTO retention_run (id, policy, registry_id, revision, policy_hash, snapshot, trigger, mode, state)
     VALUES ($1, $2, $3, 1, '\\x00', $4, 'schedule', 'dryRun', 'planning')`,
    [randomUUID(), policy.name, registryId, JSON.stringify(policy)],
  );
  await client.end();
}

/** Plans the run that waits. */
export async function planStored(url, serverPid) {
  const database = new Database(url);
  try {
    const lease = await new RetentionLeases(database, { leaseMs }).claimPlanning('bench');
    const [usedBefore, serverBefore, started] = [process.cpuUsage(), serverSeconds(serverPid), performance.now()];
    const { end } = await new PlanRun({ database, revisions: new TopologyRevisions(database) }).plan(lease, new AbortController().signal);
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(usedBefore);
    const serverUsed = serverSeconds(serverPid) - serverBefore;
    const run = await new RetentionRuns(database).get(lease.runId);
    const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
    return {
      size: Number(run.policy.slice(registryOf('').length)),
      end,
      seconds,
      processorSeconds: (user + system) / 1e6,
      serverSeconds: serverUsed,
      megabytes,
      removals: run.removals,
      artifacts: run.artifacts,
      hash: run.planHash,
    };
  } finally {
    await database.close();
  }
}

/** Processor time of the server's processes, of those that have ended too; where there is no /proc nobody knows. */
function serverSeconds(pid) {
  try {
    const server = statOf(pid);
    const ended = (Number(server[13]) + Number(server[14])) / 100;
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .flatMap(openStatOf)
      .filter((fields) => fields[1] === String(pid))
      .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) / 100, ended);
  } catch {
    return Number.NaN;
  }
}

/** Fields from the process's state on (proc_pid_stat(5)). */
function statOf(pid) {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
}

/** Nothing of what ended meanwhile. */
function openStatOf(pid) {
  try {
    return [statOf(pid)];
  } catch {
    return [];
  }
}
