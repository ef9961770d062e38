import { Readable } from 'node:stream';
import { digestOf } from '@waybill/oci-model';
import { randomBytes, streamOf } from '../images.js';
import { jestGlobals } from '../jest-globals.js';
import type { ContentStoreFeatures, Fixtures } from './fixture.js';
import { bytesOf, codeOf, readWhole, refOf } from './reading.js';

const bytes = randomBytes(300_000, 'a blob of several chunks');
const blob = refOf(digestOf(bytes), bytes);
const empty = Buffer.alloc(0);
const emptyBlob = refOf(digestOf(empty), empty);

export function describeBlobs(fixtures: Fixtures, features: ContentStoreFeatures): void {
  const { describe, expect, it } = jestGlobals();

  describe('blobs', () => {
    it('gives back the bytes that were pushed', async () => {
      const store = await fixtures.store();

      await store.pushBlob(blob, streamOf(bytes));

      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
      expect(await store.probeBlob(blob)).toBe(true);
    });

    it('takes and gives the empty blob', async () => {
      const store = await fixtures.store();

      await store.pushBlob(emptyBlob, Readable.from([]));

      expect(await store.probeBlob(emptyBlob)).toBe(true);
      expect((await readWhole(store, emptyBlob)).byteLength).toBe(0);
    });

    it('takes the same blob twice', async () => {
      const store = await fixtures.store();
      await store.pushBlob(blob, streamOf(bytes));

      await store.pushBlob(blob, streamOf(bytes));

      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
    });

    it('takes the same blob from several at once', async () => {
      const store = await fixtures.store();

      await Promise.all([1, 2, 3].map(() => store.pushBlob(blob, streamOf(bytes))));

      expect((await readWhole(store, blob)).equals(bytes)).toBe(true);
    });

    it('says that a blob is absent', async () => {
      const store = await fixtures.store();
      await store.pushBlob(emptyBlob, Readable.from([]));

      expect(await store.probeBlob(blob)).toBe(false);
      expect(await codeOf(store.readBlob(blob))).toBe('not-found');
    });

    it('says that a blob is absent where nothing was ever pushed', async () => {
      const store = await fixtures.store();

      expect(await store.probeBlob(blob)).toBe(false);
    });

    it.each([
      ['other bytes of the same size', 'digest-mismatch', randomBytes(bytes.byteLength, 'others')],
      ['too few bytes', 'size-mismatch', bytes.subarray(0, 200_000)],
      ['too many bytes', 'size-mismatch', Buffer.concat([bytes, bytes])],
      ['one byte too many', 'size-mismatch', Buffer.concat([bytes, Buffer.alloc(1)])],
      ['no bytes', 'size-mismatch', empty],
    ])('commits nothing when it is given %s', async (_title, code, given) => {
      const store = await fixtures.store();

      expect(await codeOf(store.pushBlob(blob, streamOf(given)))).toBe(code);
      expect(await store.probeBlob(blob)).toBe(false);
    });

    it('commits nothing and rejects with the cause when the content errors midway', async () => {
      const store = await fixtures.store();
      const broken = Readable.from(breakingAfter(bytes.subarray(0, 100_000)), { objectMode: false });

      const outcome = await store.pushBlob(blob, broken).then(
        () => undefined,
        (error: unknown) => error,
      );

      expect(outcome).toBeInstanceOf(Error);
      expect(messagesOf(outcome)).toContain('the source broke');
      expect(await store.probeBlob(blob)).toBe(false);
    });

    it('commits nothing when the content errors after its last byte', async () => {
      const store = await fixtures.store();
      const broken = Readable.from(breakingAfter(bytes), { objectMode: false });

      await expect(store.pushBlob(blob, broken)).rejects.toThrow();

      expect(await store.probeBlob(blob)).toBe(false);
    });

    it('commits nothing when the content is destroyed midway', async () => {
      const store = await fixtures.store();
      let asked = 0;
      const content = new Readable({
        read() {
          asked += 1;
          if (asked === 1) this.push(bytes.subarray(0, 100_000));
          else this.destroy();
        },
      });

      await expect(store.pushBlob(blob, content)).rejects.toThrow();

      expect(await store.probeBlob(blob)).toBe(false);
    });

    it('leaves no content stream open after a refusal', async () => {
      const store = await fixtures.store();
      const content = streamOf(Buffer.concat([bytes, bytes]));

      await expect(store.pushBlob(blob, content)).rejects.toThrow();

      expect(content.destroyed).toBe(true);
    });

    it('fails a read whose descriptor gives the wrong size', async () => {
      const store = await fixtures.store();
      await store.pushBlob(blob, streamOf(bytes));

      for (const size of [blob.size - 1, blob.size + 1]) {
        expect(await codeOf(readWhole(store, { ...blob, size }))).toBe('size-mismatch');
      }
    });

    it('survives a reader that goes away midway', async () => {
      const store = await fixtures.store();
      await store.pushBlob(blob, streamOf(bytes));

      const stream = await store.readBlob(blob);
      stream.destroy();

      expect((await bytesOf(await store.readBlob(blob))).equals(bytes)).toBe(true);
    });

    if (features.corrupts ?? false) {
      it('ends no read well whose stored bytes changed', async () => {
        const { store, corrupt } = await fixtures.make();
        await store.pushBlob(blob, streamOf(bytes));

        await corrupt?.(blob.digest);

        expect(await codeOf(readWhole(store, blob))).toBe('digest-mismatch');
      });
    }
  });
}

async function* breakingAfter(content: Uint8Array): AsyncGenerator<Buffer> {
  for await (const chunk of streamOf(content)) yield chunk as Buffer;
  throw new Error('the source broke');
}

/** The message of an error and of all its causes: a store may add words of its own around the source's. */
function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return `${error.message} ${messagesOf(error.cause)}`;
}
