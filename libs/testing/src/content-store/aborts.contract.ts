import { Readable } from 'node:stream';
import { type BlobRef, type ContentStore, digestOf, type Tag } from '@waybill/oci-model';
import { buildImage, pushBuilt, randomBytes, streamOf } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { Fixtures } from './fixture.js';
import { bytesOf, codeOf, itemsOf, refOf } from './reading.js';

const image = buildImage({ seed: 21 });
const tag = 'aborted' as Tag;
const bytes = randomBytes(8 * 1024 * 1024, 'a blob that no socket buffers whole');
const blob = refOf(digestOf(bytes), bytes);

const operations: readonly (readonly [string, (store: ContentStore, signal: AbortSignal) => Promise<unknown>])[] = [
  ['readManifest', (store, signal) => store.readManifest(image.manifest.digest, signal)],
  ['readBlob', async (store, signal) => await bytesOf(await store.readBlob(refOfLayer(), signal))],
  ['probeBlob', (store, signal) => store.probeBlob(refOfLayer(), signal)],
  ['pushBlob', (store, signal) => store.pushBlob(blob, streamOf(bytes), { signal })],
  ['pushManifest', (store, signal) => store.pushManifest(image.manifest, signal)],
  ['resolveTag', (store, signal) => store.resolveTag(tag, signal)],
  ['putTag', (store, signal) => store.putTag(tag, image.manifest, signal)],
  ['listTags', (store, signal) => itemsOf(store.listTags(signal))],
];

export function describeAborts(fixtures: Fixtures): void {
  const { describe, expect, it } = jestGlobals();

  describe('abort signals', () => {
    it.each(operations)('%s rejects with aborted when its signal fired before', async (_name, operation) => {
      const store = await fixtures.store();
      await pushBuilt(store, image);

      expect(await codeOf(operation(store, AbortSignal.abort()))).toBe('aborted');
    });

    it('fails a blob stream with aborted when the signal fires midway', async () => {
      const store = await fixtures.store();
      await store.pushBlob(blob, streamOf(bytes));
      const controller = new AbortController();

      const stream = await store.readBlob(blob, controller.signal);
      const reading = (async () => {
        for await (const chunk of stream) {
          expect(chunk).toBeDefined();
          controller.abort();
        }
      })();

      expect(await codeOf(reading)).toBe('aborted');
    });

    it('commits nothing and destroys the content when the signal fires in the middle of a push', async () => {
      const store = await fixtures.store();
      const controller = new AbortController();
      const content = abortingMidway(controller);

      expect(await codeOf(store.pushBlob(blob, content, { signal: controller.signal }))).toBe('aborted');
      expect(content.destroyed).toBe(true);
      expect(await store.probeBlob(blob)).toBe(false);
    });
  });
}

/** Half the blob, then the abort, then nothing more: only the signal can end the push. */
function abortingMidway(controller: AbortController): Readable {
  const chunk = 64 * 1024;
  let given = 0;
  return new Readable({
    read() {
      if (given < bytes.byteLength / 2) this.push(bytes.subarray(given, given + chunk));
      else controller.abort();
      given += chunk;
    },
  });
}

function refOfLayer(): BlobRef {
  const [layer] = image.layers;
  if (layer === undefined) throw new Error('the image has no layer');
  return { digest: layer.digest, size: layer.size };
}
