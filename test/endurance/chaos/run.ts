// `npm run test:chaos`: promotions while workers and the API are killed and everything beneath them is restarted.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { issueApiKey } from '@waybill/access';
import { findFreePort } from '@waybill/embedded';
import { Database } from '@waybill/persistence';
import { WaybillApi } from '../../../apps/cli/src/api-client/waybill-api.js';
import { Stack } from '../../../apps/cli/src/up/stack.js';
import { seeded } from '../seeded.js';
import { judge } from './judge.js';
import { pushImages, type Requested, requestUntilAccepted, topology } from './load.js';
import { type QueueKind, registryNames, type Servers, startServers } from './servers.js';
import { Slot } from './slot.js';
import { blow } from './storm.js';

const settings = {
  seed: numberFrom('CHAOS_SEED', 1),
  kills: numberFrom('CHAOS_KILLS', 200),
  promotions: numberFrom('CHAOS_PROMOTIONS', 300),
  restarts: numberFrom('CHAOS_RESTARTS', 5),
  workers: numberFrom('CHAOS_WORKERS', 3),
  queue: (process.env['CHAOS_QUEUE'] ?? 'redis') as QueueKind,
};

/** How many promotions are requested at once, and how many more than the storm has come to. */
const clients = 8;
const ahead = 20;
const settleMs = 600_000;
const pollMs = 250;

const workerSettings = {
  WAYBILL_WORKER_DISPATCH_LEASE_MS: '5000',
  WAYBILL_WORKER_RETRY_BASE_MS: '100',
  WAYBILL_WORKER_RETRY_MAX_MS: '1000',
  // What is killed has begun an attempt: hundreds of kills must not end anything.
  WAYBILL_WORKER_RETRY_MAX_ATTEMPTS: '1000',
  WAYBILL_WORKER_DRAIN_MS: '0',
  WAYBILL_WORKER_CONCURRENCY: '4',
};

function numberFrom(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a number`);
  return Number(text);
}

async function startWaybill(servers: Servers, stack: Stack): Promise<{ readonly api: WaybillApi; readonly slots: readonly Slot[] }> {
  const port = await findFreePort();
  const key = issueApiKey(randomUUID()).text;
  const environment = { ...servers.environment, WAYBILL_LOG_LEVEL: 'info', WAYBILL_EXIT_WITH_STDIN: '1' };
  const slotOf = (name: string, app: 'api' | 'worker', more: Readonly<Record<string, string>>): Slot => {
    const slot = new Slot(name, app, { ...environment, ...more });
    stack.push(() => slot.stop());
    slot.start();
    return slot;
  };
  const apiSlot = slotOf('api', 'api', { WAYBILL_API_PORT: String(port), WAYBILL_ADMIN_KEY: key });
  while (!apiSlot.isReady) await delay(pollMs);
  const api = new WaybillApi({ url: `http://127.0.0.1:${port}`, key });
  await api.applyTopology(topology, 'chaos.yaml');
  for (const name of registryNames) await api.locateRegistry(name, servers.registries[name].url);
  const workers = Array.from({ length: settings.workers }, (_, index) => slotOf(`worker ${index + 1}`, 'worker', workerSettings));
  return { api, slots: [apiSlot, ...workers] };
}

/** Requests all promotions, none of them earlier than the storm allows. */
async function requestAll(api: WaybillApi, sources: readonly string[], allowed: () => number): Promise<Requested[]> {
  const random = seeded(settings.seed + 1);
  const numbers = Array.from({ length: settings.promotions }, (_, number) => number).values();
  const requested: Requested[] = [];
  const client = async (): Promise<void> => {
    for (const number of numbers) {
      while (number > allowed()) await delay(pollMs);
      const source = sources[Math.floor(random() * sources.length)] ?? '';
      requested.push(await requestUntilAccepted(api, source, number));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return requested;
}

async function untilOver(database: Database, slots: readonly Slot[]): Promise<void> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const [row] = await database.tables.$queryRaw<{ open: bigint; more: boolean }[]>`
      SELECT (SELECT count(*) FROM item_target WHERE state <> 'done') AS open,
        EXISTS (SELECT 1 FROM dispatch WHERE state <> 'finished') OR EXISTS (SELECT 1 FROM outbox)
          OR EXISTS (SELECT 1 FROM provenance_unchained) OR EXISTS (SELECT 1 FROM tag_order WHERE lease_expires_at > now()) AS more`;
    if (row?.open === 0n && !row.more) return;
    if (performance.now() > deadline) {
      for (const slot of slots) console.error(`${slot.name}:\n${slot.log().slice(-3_000)}`);
      console.error(`${row?.open ?? 0n} targets are not done after ${settleMs} ms`);
      return;
    }
    await delay(pollMs);
  }
}

async function main(): Promise<void> {
  console.log(`chaos: ${JSON.stringify(settings)}`);
  const begun = performance.now();
  const seconds = () => ((performance.now() - begun) / 1_000).toFixed(0);
  const stack = new Stack();
  try {
    const servers = await startServers(settings.queue);
    stack.push(() => servers.stop());
    const { api, slots } = await startWaybill(servers, stack);
    const sources = await pushImages(servers.registries.ci.url);
    console.log(`${seconds()} s: the storm begins`);
    let over = 0;
    const requesting = requestAll(api, sources, () => over * settings.promotions + ahead);
    const random = seeded(settings.seed);
    const onBlow = (part: number): void => {
      if (Math.floor(part * 10) > Math.floor(over * 10)) console.log(`${seconds()} s: ${Math.floor(part * 10)}0 % of the storm is over`);
      over = part;
    };
    await Promise.all([requesting, blow({ ...settings, slots, servers, random, onBlow })]);
    const requested = await requesting;
    console.log(`${seconds()} s: the storm is over, all are requested`);
    const database = new Database(servers.databaseUrl, { maxConnections: 2 });
    stack.push(() => database.close());
    await untilOver(database, slots);
    const { problems, ...figures } = await judge(
      database,
      servers,
      requested.map(({ id }) => id),
    );
    const repeated = requested.reduce((sum, { tries }) => sum + tries - 1, 0);
    console.log(`${seconds()} s: ${JSON.stringify({ ...figures, repeatedRequests: repeated })}`);
    for (const { name, ownEnds, lastWords } of slots) {
      if (ownEnds > 0) console.log([`${name} ended ${ownEnds} times by itself:`, ...lastWords].join('\n  '));
    }
    for (const problem of problems) console.error(problem);
    console.log(`${problems.length} problems`);
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    await stack.unwind();
  }
}

await main();
