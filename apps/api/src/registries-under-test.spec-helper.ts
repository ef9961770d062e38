import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreatePromotion } from '@waybill/contracts/http';
import { type FaultRule, type LocalRegistry, startLocalRegistry } from '@waybill/local-registry';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { buildImage, type BuiltImage, pushBuilt } from '@waybill/testing';
import type { ApiUnderTest } from './api-under-test.spec-helper.js';

/** A registry in this process, whose requests can be made to go wrong. */
export interface RegistryUnderTest {
  readonly url: string;
  /** Applies until it is replaced; undefined for none. */
  fault: FaultRule | undefined;
  /** Pushes an image, another one for another seed, and gives it. */
  push(repository: string, tag: string, seed?: number): Promise<BuiltImage>;
  stop(): Promise<void>;
}

export async function startRegistry(): Promise<RegistryUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), 'waybill-api-spec-'));
  const rule: { fault: FaultRule | undefined } = { fault: undefined };
  const registry: LocalRegistry = await startLocalRegistry({ dataDir, onRequest: (request) => rule.fault?.(request) });
  const client = new RegistryClient({ origin: registry.url });
  return {
    url: registry.url,
    get fault() {
      return rule.fault;
    },
    set fault(fault) {
      rule.fault = fault;
    },
    async push(repository, tag, seed = 1) {
      const image = buildImage({ seed });
      const store = client.repository(parseRepositoryName(repository));
      await pushBuilt(store, image);
      await store.putTag(parseTag(tag), image.manifest);
      return image;
    },
    async stop() {
      client.close();
      await registry.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** CI Snapshots leads to Prod, which a replica in another location repeats. */
export const releaseTopology = `
apiVersion: waybill/v1
kind: Topology
metadata: { name: spec }
locations: { eu: { egress: { us: 0.02 } }, us: {} }
registries:
  ci-snapshots: { role: ci-snapshots, location: eu, local: true }
  prod: { role: prod, location: eu, local: true }
  prod-us: { role: replica, of: prod, location: us, local: true }
paths:
  release:
    from: ci-snapshots
    to: [prod]
    repositories: ["team-*/**"]
    tags: "^v?[0-9]+\\\\.[0-9]+\\\\.[0-9]+$"
replications:
  - { from: prod, to: [prod-us], repositories: ["**"] }
`;

/** Applies `releaseTopology` and tells where its registries listen. */
export async function applyRelease(api: ApiUnderTest, addresses: Readonly<Record<string, string>>): Promise<void> {
  const applied = await api.send('PUT', '/api/v1/topology', { body: { source: releaseTopology } });
  if (applied.status !== 200) throw new Error(applied.text);
  for (const [name, address] of Object.entries(addresses)) await locate(api, name, address);
}

export async function locate(api: ApiUnderTest, name: string, address: string): Promise<void> {
  const located = await api.send('PUT', `/api/v1/registries/${name}/address`, { body: { address } });
  if (located.status !== 204) throw new Error(located.text);
}

/** An address of this machine on which nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the kernel gave no port');
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${address.port}`;
}

/** A request for the image `ci-snapshots/team-a/app:1.0.0`, or another. */
export function promotionOf(source = 'ci-snapshots/team-a/app:1.0.0', more: Partial<CreatePromotion> = {}): CreatePromotion {
  return { path: 'release', items: [{ source }], ...more };
}
