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
import { endsByThemselves, lastWords } from './slot-trouble.js';
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

interface Waybill {
  readonly api: WaybillApi;
  readonly slots: readonly Slot[];
}

/** Each process is among the `slots` as soon as it is started. */
async function startWaybill(servers: Servers, stack: Stack, slots: Slot[]): Promise<Waybill> {
  const port = await findFreePort();
  const key = issueApiKey(randomUUID()).text;
  const environment = { ...servers.environment, WAYBILL_LOG_LEVEL: 'info', WAYBILL_EXIT_WITH_STDIN: '1' };
  const slotOf = (name: string, app: 'api' | 'worker', more: Readonly<Record<string, string>>): Slot => {
    const slot = new Slot(name, app, { ...environment, ...more });
    stack.push(() => slot.stop());
    slots.push(slot);
    slot.start();
    return slot;
  };
  const apiSlot = slotOf('api', 'api', { WAYBILL_API_PORT: String(port), WAYBILL_ADMIN_KEY: key });
  while (!apiSlot.isReady) await delay(pollMs);
  const api = new WaybillApi({ url: `http://127.0.0.1:${port}`, key });
  await api.applyTopology(topology, 'chaos.yaml');
  for (const name of registryNames) await api.locateRegistry(name, servers.registries[name].url);
  for (let number = 1; number <= settings.workers; number += 1) slotOf(`worker ${number}`, 'worker', workerSettings);
  return { api, slots };
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

async function untilOver(database: Database): Promise<void> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const [row] = await database.tables.$queryRaw<{ open: bigint; more: boolean }[]>`
      SELECT (SELECT count(*) FROM item_target WHERE state <> 'done') AS open,
        EXISTS (SELECT 1 FROM dispatch WHERE state <> 'finished') OR EXISTS (SELECT 1 FROM outbox)
          OR EXISTS (SELECT 1 FROM provenance_unchained) OR EXISTS (SELECT 1 FROM tag_order WHERE lease_expires_at > now()) AS more`;
    if (row?.open === 0n && !row.more) return;
    if (performance.now() > deadline) {
      console.error(`${row?.open ?? 0n} targets are not done after ${settleMs} ms`);
      return;
    }
    await delay(pollMs);
  }
}

/** Requests promotions while the storm blows, and judges what it left: how often a request was repeated, and what is wrong. */
async function weather({ api, slots }: Waybill, servers: Servers, say: (words: string) => void): Promise<string[]> {
  const sources = await pushImages(servers.registries.ci.url);
  say('the storm begins');
  let over = 0;
  const requesting = requestAll(api, sources, () => over * settings.promotions + ahead);
  const random = seeded(settings.seed);
  const onBlow = (part: number): void => {
    if (Math.floor(part * 10) > Math.floor(over * 10)) say(`${Math.floor(part * 10)}0 % of the storm is over`);
    over = part;
  };
  const [requested] = await Promise.all([requesting, blow({ ...settings, slots, servers, random, onBlow })]);
  say('the storm is over, all are requested');
  const database = new Database(servers.databaseUrl, { maxConnections: 2 });
  try {
    await untilOver(database);
    const ids = requested.map(({ id }) => id);
    const { problems, ...figures } = await judge(database, servers, ids);
    const repeatedRequests = requested.reduce((sum, { tries }) => sum + tries - 1, 0);
    say(JSON.stringify({ ...figures, repeatedRequests }));
    return [...problems, ...endsByThemselves(slots)];
  } finally {
    await database.close();
  }
}

async function main(): Promise<void> {
  console.log(`chaos: ${JSON.stringify(settings)}`);
  const begun = performance.now();
  const say = (words: string): void => console.log(`${((performance.now() - begun) / 1_000).toFixed(0)} s: ${words}`);
  const stack = new Stack();
  const slots: Slot[] = [];
  try {
    const servers = await startServers(settings.queue);
    stack.push(() => servers.stop());
    const waybill = await startWaybill(servers, stack, slots);
    const problems = await weather(waybill, servers, say);
    for (const problem of problems) console.error(problem);
    console.log(`${problems.length} problems`);
    if (problems.length > 0) throw new Error('the storm has left problems');
  } catch (error) {
    console.error(lastWords(slots));
    console.error(error);
    process.exitCode = 1;
  } finally {
    await stack.unwind();
  }
}

await main();
