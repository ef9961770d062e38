import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { algorithmOf, hexOf } from '@waybill/oci-model';
import { describeContentStore } from '@waybill/testing';
import { OciLayout } from './layout.js';

describeContentStore(
  'an OCI layout',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'waybill-layout-'));
    const layout = await OciLayout.create(dir);
    return {
      store: layout.store(),
      corrupt: (digest) => changeFirstByte(join(dir, 'blobs', algorithmOf(digest), hexOf(digest))),
      dispose: () => rm(dir, { recursive: true, force: true }),
    };
  },
  { mounts: false, corrupts: true },
);

async function changeFirstByte(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 0);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0xff]), 0, 1, 0);
  await file.close();
}
