import { rm } from 'node:fs/promises';
import { startLocalRegistry } from '@waybill/local-registry';
import type { CapabilityName } from '@waybill/oci-model';
import { basicCredentials, RegistryClient, type RegistryClientOptions, type RequestEvent } from '@waybill/oci-registry';
import {
  type ContentStoreFeatures,
  type DockerRegistryOptions,
  makeTestFolder,
  type ServerName,
  startCraneRegistry,
  startDistribution3,
  startDockerRegistry,
  startTokenServer,
  startZot,
} from '@waybill/testing';

/** How a registry lets its clients in: anyone, a user with a password, or a token of a token server for such a one. */
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
  /** May do everything; absent where everyone may. */
  readonly user?: User;
  /** The origin of the token server that the user's password may go to. */
  readonly tokenRealm?: string;
  stop(): Promise<void>;
}

/** A kind of registry that Waybill must get on with. */
export interface RegistryKind {
  readonly name: string;
  /** What must be on this machine to run one. */
  readonly needs: readonly ServerName[];
  readonly admissions: readonly Admission[];
  /** What of the contract of the content ports is not for it; default nothing. */
  readonly features?: ContentStoreFeatures;
  /** Have all its repositories the same blobs? Then a repository is empty only where the registry is. */
  readonly sharesBlobs?: boolean;
  /** What a check finds wrong with it; default nothing. */
  readonly flaws?: readonly { readonly probe: CapabilityName; readonly code: string }[];
  start(admission?: Admission): Promise<StartedRegistry>;
}

const anna: User = { username: 'anna', password: 'open sesame' };

export const registryKinds: readonly RegistryKind[] = [
  foreignKind('Distribution 2.8', 'docker-registry', startDockerRegistry),
  foreignKind('Distribution 3', 'distribution', startDistribution3),
  foreignKind('zot 2', 'zot', startZot),
  {
    name: "crane's registry",
    needs: ['crane'],
    admissions: ['open'],
    features: { refusesIncompleteManifests: false, mounts: 'refused', removes: 'roughly' },
    sharesBlobs: true,
    flaws: [{ probe: 'tagPagination', code: 'incomplete-pages' }],
    start: async () => started(await startCraneRegistry()),
  },
  // It knows users, and nothing of tokens.
  { name: 'the local registry', needs: [], admissions: ['open', 'basic'], start: startOurs },
];

interface Running {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

type Starter = (options: Pick<DockerRegistryOptions, 'htpasswd' | 'token'>) => Promise<Running>;

function foreignKind(name: string, program: ServerName, start: Starter): RegistryKind {
  return {
    name,
    needs: [program],
    admissions: ['open', 'basic', 'bearer'],
    start: async (admission = 'open') => {
      if (admission === 'open') return started(await start({}));
      if (admission === 'basic') return started(await start({ htpasswd: anna }), { user: anna });
      return await startWithTokens(start);
    },
  };
}

async function startWithTokens(start: Starter): Promise<StartedRegistry> {
  const tokens = await startTokenServer({ users: { [anna.username]: anna.password } });
  // By name: go-containerregistry (crane, cosign) follows no realm to the literal address of a private network.
  const tokenRealm = tokens.origin.replace('127.0.0.1', 'localhost');
  const registry = await start({ token: { ...tokens.auth, realm: tokens.auth.realm.replace(tokens.origin, tokenRealm) } });
  const stop = async () => {
    await registry.stop();
    await tokens.stop();
  };
  return started({ ...registry, url: registry.url, stop }, { user: anna, tokenRealm });
}

async function startOurs(admission: Admission = 'open'): Promise<StartedRegistry> {
  const dataDir = await makeTestFolder('local-registry-');
  const users = [{ name: anna.username, password: anna.password, may: ['read', 'write', 'delete'] as const }];
  const registry = await startLocalRegistry({ dataDir, ...(admission === 'basic' ? { users } : {}) });
  const stop = async () => {
    await registry.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return started({ url: registry.url, version: 'of this checkout', stop }, admission === 'basic' ? { user: anna } : {});
}

function started(running: Running, entry: Pick<StartedRegistry, 'user' | 'tokenRealm'> = {}): StartedRegistry {
  const { url, version } = running;
  return { url, host: url.replace('http://', ''), version, ...entry, stop: () => running.stop() };
}

export type ClientOptions = Pick<RegistryClientOptions, 'observe' | 'uploads' | 'chunkBytes'>;

/** A client with all rights. */
export function clientOf(registry: StartedRegistry, options: ClientOptions = {}): RegistryClient {
  const { url, user, tokenRealm } = registry;
  return new RegistryClient({
    origin: url,
    ...(user === undefined ? {} : { credentials: { write: basicCredentials(user.username, user.password) } }),
    ...(tokenRealm === undefined ? {} : { tokenRealms: [tokenRealm] }),
    // Nobody else writes to these registries, and nobody on loopback takes longer from reading to writing.
    timeouts: { settleMs: 50 },
    ...options,
  });
}

/** Does it change anything at the registry? Asking for a token does not, whatever its method. */
export function isWrite({ method, kind }: RequestEvent): boolean {
  return method !== 'GET' && method !== 'HEAD' && kind !== 'token';
}
