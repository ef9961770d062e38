import { rm } from 'node:fs/promises';
import { startLocalRegistry } from '@waybill/local-registry';
import { basicCredentials, RegistryClient, type RegistryClientOptions, type RequestEvent } from '@waybill/oci-registry';
import {
  type DockerRegistryOptions,
  makeTestFolder,
  type ServerName,
  startDistribution3,
  startDockerRegistry,
  startZot,
} from '@waybill/testing';

/** How a registry lets its clients in. */
export type Admission = 'open' | 'basic' | 'bearer';

export interface User {
  readonly username: string;
  readonly password: string;
}

/** A registry that runs, with what its clients need to get in. */
export interface StartedRegistry {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly version: string;
  readonly user?: User;
  stop(): Promise<void>;
}

/** A kind of registry that Waybill must get on with. */
export interface RegistryKind {
  readonly name: string;
  /** What must be on this machine to run one. */
  readonly needs: readonly ServerName[];
  readonly admissions: readonly Admission[];
  start(admission?: Admission): Promise<StartedRegistry>;
}

const anna: User = { username: 'anna', password: 'open sesame' };

interface Running {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

export const registryKinds: readonly RegistryKind[] = [
  kind('Distribution 2.8', ['docker-registry'], startDockerRegistry),
  kind('Distribution 3', ['distribution'], startDistribution3),
  kind('zot 2', ['zot'], startZot),
  {
    name: 'the local registry',
    needs: [],
    admissions: ['open'],
    start: async () => {
      const dataDir = await makeTestFolder('local-registry-');
      const registry = await startLocalRegistry({ dataDir });
      const stop = async () => {
        await registry.close();
        await rm(dataDir, { recursive: true, force: true });
      };
      return started({ url: registry.url, version: '', stop });
    },
  },
];

type Starter = (options: Pick<DockerRegistryOptions, 'htpasswd' | 'token'>) => Promise<Running>;

function kind(name: string, needs: readonly ServerName[], start: Starter): RegistryKind {
  return {
    name,
    needs,
    admissions: ['open', 'basic'],
    start: async (admission = 'open') => {
      if (admission === 'open') return started(await start({}));
      return started(await start({ htpasswd: anna }), anna);
    },
  };
}

function started(running: Running, user?: User): StartedRegistry {
  const { url, version } = running;
  return {
    url,
    host: url.replace('http://', ''),
    version,
    ...(user === undefined ? {} : { user }),
    stop: () => running.stop(),
  };
}

/** A client with all rights; `observe` is told of each request. */
export function clientOf({ url, user }: StartedRegistry, options: Pick<RegistryClientOptions, 'observe'> = {}): RegistryClient {
  const write = user === undefined ? undefined : basicCredentials(user.username, user.password);
  return new RegistryClient({ origin: url, ...(write === undefined ? {} : { credentials: { write } }), ...options });
}

/** Does it change anything at the registry? */
export function isWrite({ method }: RequestEvent): boolean {
  return method !== 'GET' && method !== 'HEAD';
}
