import { rm } from 'node:fs/promises';
import { afterAll } from '@jest/globals';
import { OciLayout } from '@waybill/oci-layout';
import { describeContentStore, describeWith, makeTestFolder } from '@waybill/testing';
import { EmptyRepositories, type Variant } from './empty-repositories.js';
import { registryKinds } from './registries.js';

const inChunks: Variant = { title: 'in chunks', admission: 'open', options: { uploads: 'chunked', chunkBytes: 70_000 } };

for (const kind of registryKinds) {
  const variants: readonly Variant[] = [...kind.admissions.map((admission) => ({ title: admission, admission, options: {} })), inChunks];
  for (const variant of variants) {
    const title = `${kind.name}, ${variant.title}`;
    describeWith(kind.needs, title, () => {
      const repositories = new EmptyRepositories(kind, variant);
      afterAll(() => repositories.close());

      describeContentStore(title, () => repositories.next(), kind.features);
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
