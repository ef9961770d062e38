import { type BlobMounter, type ContentStore, digestOf, isBlobMounter, type RepositoryName } from '@waybill/oci-model';
import { randomBytes, streamOf } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { ContentStoreFeatures, Fixtures } from './fixture.js';
import { readWhole, refOf } from './reading.js';

const bytes = randomBytes(100_000, 'a blob to mount');
const blob = refOf(digestOf(bytes), bytes);

interface Pair {
  readonly store: ContentStore & BlobMounter;
  readonly sibling: { readonly name: RepositoryName; readonly store: ContentStore };
}

export function describeMounts(fixtures: Fixtures, features: ContentStoreFeatures): void {
  const { describe, expect, it } = jestGlobals();
  const mounts = features.mounts ?? true;

  describe('mounts', () => {
    it(mounts === false ? 'does not claim to mount' : 'can mount', async () => {
      const store = await fixtures.store();

      expect(isBlobMounter(store)).toBe(mounts !== false);
    });

    if (mounts === false) return;

    it(mounts === true ? 'takes a blob over from another repository' : 'leaves a way to push what another repository has', async () => {
      const { store, sibling } = await pair(fixtures);
      await sibling.store.pushBlob(blob, streamOf(bytes));

      const result = await store.mountBlob(blob, sibling.name);

      expect(result.mounted).toBe(mounts === true);
      if (!result.mounted) await store.pushBlob(blob, streamOf(bytes), result.upload === undefined ? {} : { upload: result.upload });
      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
    });

    it('leaves a way to push when the other repository lacks the blob', async () => {
      const { store, sibling } = await pair(fixtures);

      const result = await store.mountBlob(blob, sibling.name);

      expect(result.mounted).toBe(false);
      const upload = result.mounted ? undefined : result.upload;
      await store.pushBlob(blob, streamOf(bytes), upload === undefined ? {} : { upload });
      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
    });

    it('leaves nothing behind when the offered upload is cancelled', async () => {
      const { store, sibling } = await pair(fixtures);

      const result = await store.mountBlob(blob, sibling.name);
      if (!result.mounted) await result.upload?.cancel();

      expect(result.mounted).toBe(false);
      expect(await store.probeBlob(blob)).toBe(false);
    });

    it('cancels twice without complaint', async () => {
      const { store, sibling } = await pair(fixtures);

      const result = await store.mountBlob(blob, sibling.name);
      const upload = result.mounted ? undefined : result.upload;

      await expect(Promise.all([upload?.cancel(), upload?.cancel()])).resolves.toHaveLength(2);
      await expect(Promise.resolve(upload?.cancel())).resolves.toBeUndefined();
    });
  });
}

async function pair(fixtures: Fixtures): Promise<Pair> {
  const { store, sibling } = await fixtures.make();
  if (!isBlobMounter(store) || sibling === undefined) throw new Error('a fixture of a store that mounts needs a sibling');
  return { store, sibling };
}
