import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalRegistryProcess } from '@waybill/embedded';
import { type Digest, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient, type RepositoryClient } from '@waybill/oci-registry';
import { formatDiagnostic, parseTopology, type Topology } from '@waybill/topology';
import { WaybillApi } from '../../../apps/cli/src/api-client/waybill-api.js';
import { openDataFolder } from '../../../apps/cli/src/up/data-folder.js';
import { FirstFailure } from '../../../apps/cli/src/up/first-failure.js';
import type { Stack } from '../../../apps/cli/src/up/stack.js';
import { startSystem } from '../../../apps/cli/src/up/start-system.js';
import { root } from '../../../scripts/bootstrap/paths.mjs';

/** A registry that is run here, as its users see it: none of this goes through Waybill. */
export interface Store {
  readonly name: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** The folder of its storage. */
  readonly folder: string;
  repository(name: string): RepositoryClient;
  /** What a tag names now. */
  tagged(repository: string, tag: string): Promise<Digest | undefined>;
}

/** All that `waybill up` runs, in a folder of its own. */
export interface Installation {
  readonly api: WaybillApi;
  readonly ci: Store;
  readonly prod: Store;
  apply(topology: string): Promise<void>;
  /** The end of the logs of API and worker. */
  lastWords(): Promise<string>;
}

interface InstallOptions {
  /** What is to be undone to stop it all. */
  readonly stack: Stack;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** Starts database, registries, API and worker as `waybill up` does, and applies the topology. */
export async function install(topology: string, { stack, signal }: InstallOptions): Promise<Installation> {
  const data = await mkdtemp(join(tmpdir(), 'waybill-retention-'));
  stack.push(() => rm(data, { recursive: true, force: true, maxRetries: 5 }));
  // As root the database runs as `nobody` and must be able to pass through.
  await chmod(data, 0o711);
  const failure = new FirstFailure(signal);
  const folder = await openDataFolder(data, stack);
  const options = { root, folder, topology: parsed(topology), port: 0, environment: {}, failure, onApiReady: () => undefined, stack };
  const system = await startSystem(options);
  const api = new WaybillApi({ url: system.apiUrl, key: folder.key.text, signal: failure.signal });
  const apply = async (source: string): Promise<void> => {
    await api.applyTopology(source, 'endurance.yaml');
  };
  await apply(topology);
  for (const { name, url } of system.registries) await api.locateRegistry(name, url);
  const storeOf = (name: string): Store =>
    openStore(
      system.registries.find((one) => one.name === name),
      data,
      stack,
    );
  return { api, ci: storeOf('ci-snapshots'), prod: storeOf('prod'), apply, lastWords: () => lastWordsIn(folder.logs) };
}

const lastWordsLength = 3_000;

async function lastWordsIn(logs: string): Promise<string> {
  const words = (await readdir(logs)).map(
    async (name) => `${name}:\n${(await readFile(join(logs, name), 'utf8')).slice(-lastWordsLength)}`,
  );
  return (await Promise.all(words)).join('\n');
}

function parsed(source: string): Topology {
  const { topology, diagnostics } = parseTopology(source, { file: 'endurance.yaml' });
  if (topology === undefined) throw new Error(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'));
  return topology;
}

function openStore(registry: LocalRegistryProcess | undefined, data: string, stack: Stack): Store {
  if (registry?.engine !== 'docker-registry') throw new Error('docker-registry is needed: nothing else gives its space back');
  const { name, port, url } = registry;
  // Nobody else writes lists of referrers while this client does.
  const client = new RegistryClient({ origin: url, timeouts: { settleMs: 1 } });
  stack.push(() => {
    client.close();
    return Promise.resolve();
  });
  const repository = (of: string): RepositoryClient => client.repository(parseRepositoryName(of));
  return {
    name,
    host: `127.0.0.1:${port}`,
    folder: join(data, 'registries', name, 'docker-registry'),
    repository,
    tagged: (of, tag) => repository(of).resolveTag(parseTag(tag)),
  };
}
