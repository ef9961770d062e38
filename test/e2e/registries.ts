import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContentStore, type Digest, hexOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { basicCredentials, RegistryClient, type RegistryClientOptions } from '@waybill/oci-registry';
import { type BuiltContent, type DockerRegistryOptions, pushBuilt, type RunningRegistry, startDockerRegistry } from '@waybill/testing';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';

/** A real registry. Waybill reaches it through the proxy; the tests look at it directly. */
export interface ObservedRegistry {
  readonly server: RunningRegistry;
  readonly proxy: FaultProxy;
  repository(name: string): ContentStore;
  /** Pushes an image as a pipeline would; gives its digest. */
  push(repository: string, tag: string, built: BuiltContent): Promise<Digest>;
  /** What a tag names now. */
  tagged(repository: string, tag: string): Promise<Digest | undefined>;
  /** The file in which the registry keeps a blob, for all repositories. */
  fileOf(digest: Digest): string;
  /** Ids of upload sessions that were neither finished nor given up. */
  openUploads(repository: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startObservedRegistry(options: DockerRegistryOptions = {}): Promise<ObservedRegistry> {
  const server = await startDockerRegistry(options);
  const proxy = await startFaultProxy(server.url);
  const client = new RegistryClient({ origin: server.url, ...credentialsOf(options) });
  const repository = (name: string) => client.repository(parseRepositoryName(name));
  return {
    server,
    proxy,
    repository,
    async push(name, tag, built) {
      await pushBuilt(repository(name), built);
      await repository(name).putTag(parseTag(tag), built.manifest);
      return built.manifest.digest;
    },
    tagged: (name, tag) => repository(name).resolveTag(parseTag(tag)),
    fileOf(digest) {
      const hex = hexOf(digest);
      return join(server.dataDir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    },
    openUploads: (name) => namesIn(join(server.dataDir, 'docker/registry/v2/repositories', name, '_uploads')),
    async stop() {
      client.close();
      await proxy.stop();
      await server.stop();
    },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function credentialsOf({ htpasswd }: DockerRegistryOptions): Pick<RegistryClientOptions, 'credentials'> {
  return htpasswd === undefined ? {} : { credentials: { write: basicCredentials(htpasswd.username, htpasswd.password) } };
}

/** What of a proxy's requests changed something at the registry, as `METHOD path`. */
export function writesIn(proxy: FaultProxy): string[] {
  return proxy.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD').map(({ method, url }) => `${method} ${url}`);
}
