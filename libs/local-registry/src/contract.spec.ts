import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { algorithmOf, type Digest, hexOf, parseRepositoryName } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { describeContentStore } from '@waybill/testing';
import { RawRegistry, storageKinds } from './raw-http.spec-helper.js';

describe.each(storageKinds)('the local registry on %s', (kind) => {
  let registry: RawRegistry;
  let made = 0;
  beforeAll(async () => {
    registry = await RawRegistry.start(kind);
  });
  afterAll(() => registry.stop());

  describeContentStore(
    'behind the client',
    async () => {
      made += 1;
      const client = new RegistryClient({ origin: registry.url });
      const sibling = parseRepositoryName(`test-${made}/sibling`);
      return {
        store: client.repository(parseRepositoryName(`test-${made}`)),
        sibling: { name: sibling, store: client.repository(sibling) },
        corrupt: kind === 'files' ? changeFirstByte : serveWithWrongByte,
        dispose: async () => client.close(),
      };
    },
    { corrupts: true },
  );

  async function changeFirstByte(digest: Digest): Promise<void> {
    const hex = hexOf(digest);
    const file = await open(join(registry.dataDir, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex), 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 0);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, 0);
    await file.close();
  }

  /** Nobody else reaches into the memory of a process. */
  async function serveWithWrongByte(reference: Digest): Promise<void> {
    registry.running.faults.replace([{ match: { method: 'GET', reference }, times: 'always', fault: { corrupt: true } }]);
  }
});
