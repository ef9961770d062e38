// Times a promotion of a tiny image to three targets, from the request to `succeeded`, on what `npm start` runs:
// Distribution registries, embedded PostgreSQL, the queue on PostgreSQL, api and worker as processes of their own.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { issueApiKey } from '@waybill/access';
import { findFreePort, startEmbeddedPostgres, startLocalRegistryProcess, superviseProcess } from '@waybill/embedded';
import { digestOf, mediaType } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';

const rounds = Number(process.env.BENCH_ROUNDS ?? 100);
const warmup = 10;
const countedRounds = 10;
const root = path.resolve(import.meta.dirname, '..');
const registryNames = ['snapshots', 'prod-a', 'prod-b', 'prod-c'];

const source = `
apiVersion: waybill/v1
kind: Topology
metadata: { name: bench }
locations: { eu: {} }
registries:
  snapshots: { role: ci-snapshots, location: eu, local: true }
  prod-a: { role: prod, location: eu, local: true }
  prod-b: { role: prod, location: eu, local: true }
  prod-c: { role: prod, location: eu, local: true }
paths:
  release: { from: snapshots, to: [prod-a, prod-b, prod-c], repositories: ["**"], tags: ".*", target: "{repository}" }
replications: []
`;

const dataDir = await mkdtemp(path.join(tmpdir(), 'waybill-bench-'));
// The database runs as nobody when this runs as root.
await chmod(dataDir, 0o711);
try {
  const timed = await withSystem('warn', async (bench) => {
    for (let round = 0; round < warmup; round += 1) await promote(bench, await bench.push());
    const images = [];
    for (let round = 0; round < rounds; round += 1) images.push(await bench.push());
    const times = [];
    for (const image of images) times.push(await promote(bench, image));
    return times;
  });
  const counts = await withSystem('trace', async (bench) => {
    await promote(bench, await bench.push());
    const image = [];
    for (let round = 0; round < countedRounds; round += 1) image.push(await bench.push());
    const idle = await bench.countLines(() => wait(5_000));
    const started = performance.now();
    const busy = await bench.countLines(async () => {
      for (const one of image) await promote(bench, one, 3_000);
    });
    const seconds = (performance.now() - started) / 1_000;
    const perRound = (key) => Math.max(0, (busy[key] - (idle[key] / 5) * seconds) / countedRounds);
    return { requests: perRound('requests'), statements: perRound('statements') };
  });
  const sorted = timed.toSorted((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  console.log(`promotion of a tiny image to three targets, ${rounds} rounds one after another`);
  console.log(
    `p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, min ${at(0).toFixed(0)} ms, max ${sorted.at(-1).toFixed(0)} ms`,
  );
  console.log(
    `${counts.requests.toFixed(1)} requests to registries, ${counts.statements.toFixed(1)} statements of Waybill (the queue's own left out) per promotion`,
  );
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

async function withSystem(logLevel, work) {
  const key = issueApiKey(randomUUID()).text;
  const stops = [];
  try {
    const postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres') });
    stops.unshift(() => postgres.stop());
    const registries = await Promise.all(registryNames.map((name) => startRegistry(name, stops)));
    const environment = { DATABASE_URL: postgres.url, WAYBILL_QUEUE_DATABASE_URL: postgres.queueUrl, WAYBILL_LOG_LEVEL: logLevel };
    const [apiPort, workerPort] = [await findFreePort(), await findFreePort()];
    await startProgram('api', { ...environment, WAYBILL_ADMIN_KEY: key, WAYBILL_API_PORT: String(apiPort) }, apiPort, stops);
    await startProgram('worker', { ...environment, WAYBILL_WORKER_PORT: String(workerPort) }, workerPort, stops);

    const call = apiCaller(`http://127.0.0.1:${apiPort}`, key);
    await call('PUT', '/api/v1/topology', { source });
    for (const { name, url } of registries) await call('PUT', `/api/v1/registries/${name}/address`, { address: url });
    const client = new RegistryClient({ origin: registries[0].url });
    stops.unshift(() => client.close());
    return await work({ call, push: () => pushTinyImage(client), countLines });
  } finally {
    for (const stop of stops) await stop();
  }
}

async function startRegistry(name, stops) {
  const registry = await startLocalRegistryProcess({ name, dataDir: path.join(dataDir, name), engine: 'docker-registry' });
  stops.unshift(() => registry.stop());
  return registry;
}

async function startProgram(name, env, port, stops) {
  const child = await superviseProcess({
    name,
    command: process.execPath,
    args: [path.join(root, 'apps', name, 'dist', 'main.js')],
    env: { ...env, WAYBILL_EXIT_WITH_STDIN: '1' },
    logFile: logOf(name),
    maxLogBytes: 1024 ** 3,
    readyWhen: { answersAt: `http://127.0.0.1:${port}/health/ready`, accept: ({ ok }) => ok },
    endsWith: 'stdin',
  });
  stops.unshift(() => child.stop());
}

function logOf(name) {
  return path.join(dataDir, `${name}.log`);
}

function apiCaller(url, key) {
  return async (method, at, body) => {
    const response = await fetch(url + at, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}

async function pushTinyImage(client) {
  const repository = client.repository('team/app');
  const layer = randomBytes(1_024);
  const config = Buffer.from(JSON.stringify({ created: randomUUID() }));
  for (const blob of [layer, config]) await repository.pushBlob({ digest: digestOf(blob), size: blob.length }, Readable.from([blob]));
  const descriptor = (type, bytes) => ({ mediaType: type, digest: digestOf(bytes), size: bytes.length });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config: descriptor(mediaType.ociConfig, config),
      layers: [descriptor(mediaType.ociLayer, layer)],
    }),
  );
  const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  await repository.putTag(tag, { bytes, digest: digestOf(bytes), mediaType: mediaType.ociManifest });
  return `snapshots/team/app:${tag}`;
}

/** Milliseconds: the request's own time, and the database's from there to the end; the overlap of a few counts twice. Looking is rare, since it costs too. */
async function promote({ call }, image, pollMs = 100) {
  const started = performance.now();
  const { id } = await call('POST', '/api/v1/promotions', { path: 'release', items: [{ source: image }] });
  const requested = performance.now() - started;
  for (;;) {
    await wait(pollMs);
    const { state, requestedAt, finishedAt } = await call('GET', `/api/v1/promotions/${id}`);
    if (finishedAt === undefined) continue;
    if (state !== 'succeeded') throw new Error(`promotion ${id} ended ${state}`);
    return requested + Date.parse(finishedAt) - Date.parse(requestedAt);
  }
}

async function countLines(during) {
  const before = await countsNow();
  await during();
  const after = await countsNow();
  return { requests: after.requests - before.requests, statements: after.statements - before.statements };
}

async function countsNow() {
  const logs = await Promise.all(['api', 'worker'].map((name) => readFile(logOf(name), 'utf8')));
  const text = logs.join('');
  return { requests: text.split('"msg":"registry request"').length - 1, statements: text.split('"msg":"statement"').length - 1 };
}
