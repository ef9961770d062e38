import type { ServerOptions } from 'node:https';
import { type BlobRef, digestOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient, type RegistryClientOptions, type RepositoryClient } from '@waybill/oci-registry';
import { jestGlobals } from './jest-globals.js';
import { type Script, type ScriptedServer, startScriptedServer } from './scripted-server.js';

const bytes = Buffer.from('the bytes of a blob');
const blob: BlobRef = { digest: digestOf(bytes), size: bytes.byteLength };

/** What is asked for where a test does not care. */
export const sample = { app: parseRepositoryName('team/app'), latest: parseTag('latest'), bytes, blob } as const;

export interface ScriptedRegistry {
  readonly server: ScriptedServer;
  readonly client: RegistryClient;
  readonly repository: RepositoryClient;
}

export interface ScriptedRegistries {
  /** A server with that script, and a client of it that tries nothing twice unless told to. With `tls` it speaks https. */
  start(script: Script, options?: Partial<RegistryClientOptions>, tls?: ServerOptions): Promise<ScriptedRegistry>;
  /** A server that is only linked to. */
  elsewhere(script: Script, tls?: ServerOptions): Promise<ScriptedServer>;
}

/** Scripted registries that end with each test. */
export function scriptedRegistries(): ScriptedRegistries {
  const { afterEach } = jestGlobals();
  const endings: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  async function elsewhere(script: Script, tls?: ServerOptions): Promise<ScriptedServer> {
    const server = await startScriptedServer(script, tls);
    endings.push(() => server.stop());
    return server;
  }
  return {
    elsewhere,
    async start(script, options = {}, tls) {
      const server = await elsewhere(script, tls);
      const client = new RegistryClient({ origin: server.origin, retries: 0, ...options });
      endings.unshift(() => client.close());
      return { server, client, repository: client.repository(sample.app) };
    },
  };
}
