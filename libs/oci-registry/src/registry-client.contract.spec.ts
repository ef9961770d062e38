import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { type Digest, hexOf, parseRepositoryName } from '@waybill/oci-model';
import {
  type ContentStoreFixture,
  describeContentStore,
  describeWith,
  type DockerRegistryOptions,
  type RunningRegistry,
  startDockerRegistry,
} from '@waybill/testing';
import { basicCredentials } from './auth/static-credentials.js';
import { type RegistryClientOptions } from './options.js';
import { RegistryClient } from './registry-client.js';

const user = { username: 'anna', password: 'open sesame' };

interface Case {
  readonly title: string;
  readonly server: DockerRegistryOptions;
  readonly client: Omit<RegistryClientOptions, 'origin'>;
}

const known = { referrersApi: false, mount: true, manifestDelete: true, blobDelete: true, tagDelete: false } as const;

const cases: readonly Case[] = [
  { title: 'docker-registry', server: {}, client: {} },
  {
    title: 'docker-registry with Basic credentials',
    server: { htpasswd: user },
    client: { credentials: { write: basicCredentials(user.username, user.password) } },
  },
  { title: 'docker-registry under a prefix', server: {}, client: { prefix: parseRepositoryName('acme/eu') } },
  { title: 'docker-registry over a single connection', server: {}, client: { connections: 1 } },
  { title: 'docker-registry that gets chunks', server: {}, client: { uploads: 'chunked', chunkBytes: 70_000 } },
  { title: 'docker-registry that remembers blobs', server: { blobCache: true }, client: {} },
  { title: 'docker-registry of which all is known', server: {}, client: { capabilities: known } },
];

for (const { title, server, client } of cases) {
  describeWith('docker-registry', title, () => {
    let registry: RunningRegistry;
    let made = 0;
    beforeAll(async () => {
      registry = await startDockerRegistry(server);
    });
    afterAll(() => registry.stop());

    describeContentStore(
      title,
      async () => {
        made += 1;
        return fixtureAt(registry, client, `test-${made}`);
      },
      { corrupts: true },
    );
  });
}

function fixtureAt(registry: RunningRegistry, options: Omit<RegistryClientOptions, 'origin'>, name: string): ContentStoreFixture {
  const client = new RegistryClient({ origin: registry.url, timeouts: { settleMs: 20 }, ...options });
  const sibling = parseRepositoryName(`${name}/sibling`);
  return {
    store: client.repository(parseRepositoryName(name)),
    // A mount names its source as the origin knows it.
    sibling: { name: parseRepositoryName([options.prefix, sibling].filter(Boolean).join('/')), store: client.repository(sibling) },
    corrupt: (digest) => corrupt(registry, digest),
    dispose: async () => {
      client.close();
    },
  };
}

/** Distribution's filesystem driver keeps content in one file per digest, for all repositories. */
async function corrupt(registry: RunningRegistry, digest: Digest): Promise<void> {
  const hex = hexOf(digest);
  const file = join(registry.dataDir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 1) ^ 0xff, bytes.byteLength - 1);
  await writeFile(file, bytes);
}
