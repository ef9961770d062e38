import { rm } from 'node:fs/promises';
import { afterAll, beforeAll } from '@jest/globals';
import { OciLayout } from '@waybill/oci-layout';
import { parseRepositoryName } from '@waybill/oci-model';
import type { RegistryClient } from '@waybill/oci-registry';
import { describeContentStore, describeWith, makeTestFolder } from '@waybill/testing';
import { clientOf, registryKinds, type StartedRegistry } from './registries.js';

for (const { name, needs, admissions, start } of registryKinds) {
  for (const admission of admissions) {
    const title = `${name}, ${admission}`;
    describeWith(needs, title, () => {
      let registry: StartedRegistry;
      let client: RegistryClient;
      let made = 0;
      beforeAll(async () => {
        registry = await start(admission);
        client = clientOf(registry);
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
