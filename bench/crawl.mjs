// Counts the requests of crawls of a Distribution registry and times them: a first full one, a full one again, a quick one,
// and one after tags were moved that no list shows to be moved.
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startEmbeddedPostgres, startLocalRegistryProcess } from '@waybill/embedded';
import { crawlRegistry } from '@waybill/inventory';
import { RegistryClient } from '@waybill/oci-registry';
import { ApiKeys, applyMigrations, CrawlLeases, CrawlSchedules, Database, TopologyRevisions } from '@waybill/persistence';
import { parseTopology } from '@waybill/topology';
import { moveTag, storeImages } from './crawl/stored-registry.mjs';

const repositories = Number(process.env.BENCH_REPOSITORIES ?? 1_000);
const tagsEach = Number(process.env.BENCH_TAGS ?? 100);
const moved = 50;
const tags = repositories * tagsEach;
const nameOf = (number) => `team-${number % 20}/app-${number}`;

const dataDir = await mkdtemp(path.join(tmpdir(), 'waybill-bench-'));
// The database runs as nobody when this runs as root.
await chmod(dataDir, 0o711);
const stops = [];
try {
  const registry = await filledRegistry();
  const scene = await openScene(registry.url);
  console.log(`${repositories} repositories of ${tagsEach} tags at docker-registry`);
  const first = await crawl(scene, 'full', 'first');
  const again = await crawl(scene, 'full', 'full again');
  const quick = await crawl(scene, 'quick', 'quick');
  for (let number = 0; number < moved; number += 1) {
    await moveTag(scene.client, nameOf(number % repositories), 'v0', `v${1 + (number % (tagsEach - 1))}`);
  }
  const silent = await crawl(scene, 'full', `after ${moved} tags were moved`);

  const lists = repositories + Math.ceil(repositories / 1_000);
  const mistakes = [
    [first.requests.HEAD + first.requests.GET - lists <= 3 * tags, 'the first crawl asks more than three times for a tag'],
    [again.requests.HEAD === tags && again.requests.GET === lists, 'a full crawl again asks more than a list and a HEAD for each tag'],
    [quick.requests.HEAD === undefined && quick.requests.GET === lists, 'a quick crawl asks more than a list'],
    [silent.found.tagsMoved === moved, 'not every tag that was moved was found'],
  ].flatMap(([isSo, mistake]) => (isSo ? [] : [mistake]));
  for (const mistake of mistakes) console.error(mistake);
  process.exitCode = mistakes.length === 0 ? 0 : 1;
} finally {
  for (const stop of stops.reverse()) await stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function filledRegistry() {
  const folder = path.join(dataDir, 'ci');
  const started = performance.now();
  const first = await startLocalRegistryProcess({ name: 'ci', dataDir: folder, engine: 'docker-registry' });
  await first.stop();
  for (let number = 0; number < repositories; number += 1) {
    await storeImages(path.join(folder, 'docker-registry'), nameOf(number), tagsEach);
  }
  console.log(`stored in ${seconds(started)} s`);
  const registry = await startLocalRegistryProcess({ name: 'ci', dataDir: folder, engine: 'docker-registry' });
  stops.push(() => registry.stop());
  return registry;
}

async function openScene(origin) {
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres') });
  stops.push(() => postgres.stop());
  await applyMigrations(postgres.url);
  const database = new Database(postgres.url);
  stops.push(() => database.close());
  const requests = { onRequest: () => undefined };
  const client = new RegistryClient({ origin, connections: 8, observe: ({ method }) => requests.onRequest(method) });
  stops.push(() => client.close());

  const principal = { kind: 'service', issuer: 'waybill', subject: 'bench' };
  const key = await new ApiKeys(database).put({ id: randomUUID(), hash: new Uint8Array(32), principal, grants: [] });
  const source = `
apiVersion: waybill/v1
kind: Topology
metadata: { name: bench }
locations: { eu: {} }
registries: { ci: { role: ci-snapshots, location: eu, url: "${origin}" } }
`;
  const { topology, diagnostics } = parseTopology(source, { file: 'bench' });
  if (topology === undefined) throw new Error(JSON.stringify(diagnostics));
  await new TopologyRevisions(database).apply(topology, source, key.principal.id);
  await new CrawlSchedules(database).declare([{ name: 'ci', location: 'eu', quickMs: 900_000, fullMs: 86_400_000 }]);
  return { database, client, requests, requestedBy: key.principal.id };
}

async function crawl({ database, client, requests, requestedBy }, kind, what) {
  await new CrawlSchedules(database).request({ registry: 'ci', kind, requestedBy });
  const leases = new CrawlLeases(database, { leaseMs: 3_600_000 });
  const lease = await leases.claimNext('all', 'bench');
  const { records } = await leases.load(lease);
  requests.onRequest = (method) => records.countRequest(method);
  const started = performance.now();
  const { signal } = new AbortController();
  setMaxListeners(0, signal); // each of the many small reads listens to it
  const failure = await crawlRegistry({ registry: client, records, hasReferrersApi: false }, signal);
  await leases.finish(lease, records.tally, failure);
  if (failure !== undefined) throw new Error(failure.message);
  const { requests: asked, found } = records.tally;
  const perTag = ((asked.HEAD ?? 0) + asked.GET) / tags;
  console.log(
    `${what}: ${asked.GET} GET, ${asked.HEAD ?? 0} HEAD (${perTag.toFixed(3)} for each tag) in ${seconds(started)} s; ${JSON.stringify(found)}`,
  );
  requests.onRequest = () => undefined;
  return records.tally;
}

function seconds(since) {
  return ((performance.now() - since) / 1_000).toFixed(1);
}
