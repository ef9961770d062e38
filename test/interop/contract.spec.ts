import { rm } from 'node:fs/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { OciLayout } from '@waybill/oci-layout';
import { parseRepositoryName } from '@waybill/oci-model';
import type { RegistryClient } from '@waybill/oci-registry';
import { describeContentStore, describeWith, makeTestFolder } from '@waybill/testing';
import { type Admission, type ClientOptions, clientOf, registryKinds, type StartedRegistry } from './registries.js';

interface Variant {
  readonly title: string;
  readonly admission: Admission;
  readonly options: ClientOptions;
}

const inChunks: Variant = { title: 'in chunks', admission: 'open', options: { uploads: 'chunked', chunkBytes: 70_000 } };

for (const { name, needs, admissions, start } of registryKinds) {
  const variants: readonly Variant[] = [...admissions.map((admission) => ({ title: admission, admission, options: {} })), inChunks];
  for (const { title: variant, admission, options } of variants) {
    const title = `${name}, ${variant}`;
    describeWith(needs, title, () => {
      let registry: StartedRegistry;
      let client: RegistryClient;
      let made = 0;
      beforeAll(async () => {
        registry = await start(admission);
        client = clientOf(registry, options);
      });
      afterAll(async () => {
        client.close();
        await registry.stop();
      });

      describeContentStore(title, async () => {
        made += 1;
        const sibling = parseRepositoryName(`contract/test-${made}/sibling`);
        return {
          store: client.repository(parseRepositoryName(`contract/test-${made}`)),
          sibling: { name: sibling, store: client.repository(sibling) },
          dispose: async () => undefined,
        };
      });
    });
  }
}

describeContentStore(
  'an OCI layout',
  async () => {
    const folder = await makeTestFolder('layout-');
    const layout = await OciLayout.create(folder);
    return { store: layout.store(), dispose: () => rm(folder, { recursive: true, force: true }) };
  },
  { mounts: false },
);
