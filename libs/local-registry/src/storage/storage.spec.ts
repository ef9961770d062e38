import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, mediaType, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { openFiles } from './files/open-files.js';
import { openMemory } from './memory/open-memory.js';
import type { Storage } from './storage.js';

const app = parseRepositoryName('team/app');
const other = parseRepositoryName('team/app/other');
const content = Buffer.from('0123456789');
const digest = digestOf(content);
const subject = digestOf(Buffer.from('subject'));
const v1 = parseTag('v1');
const descriptor = { mediaType: mediaType.ociManifest, digest, size: 10, annotations: { made: 'here' } };

describe.each(['files', 'memory'] as const)('the storage port, on %s', (kind) => {
  let folder: string;
  let storage: Storage;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-storage-'));
    storage = kind === 'files' ? await openFiles(folder) : openMemory(1024 * 1024);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function stage(id: string, ...chunks: readonly string[]): Promise<void> {
    const staged = await storage.staging.append(id);
    for (const chunk of chunks) await staged.write(Buffer.from(chunk));
    await staged.sync();
    await staged.close();
  }

  async function names(): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const name of storage.repositories.names()) found.push(name);
    return found.toSorted();
  }

  describe('staged content', () => {
    it('grows by appending and is read in order', async () => {
      await stage('a', '012', '34');
      await stage('a', '567');

      expect(await text(storage.staging.read('a'))).toBe('01234567');
      expect(await storage.staging.ids()).toEqual(['a']);
    });

    it.each([0, 2, 3, 4, 8])('is cut to its first %d bytes', async (size) => {
      await stage('a', '012', '34567');

      await storage.staging.truncate('a', size);

      expect(await text(storage.staging.read('a'))).toBe('01234567'.slice(0, size));
    });

    it('keeps what was written, whatever becomes of the buffer', async () => {
      const chunk = Buffer.from('abc');
      const staged = await storage.staging.append('a');
      await staged.write(chunk);
      chunk.fill('x');
      await staged.close();

      expect(await text(storage.staging.read('a'))).toBe('abc');
    });

    it('is gone after it was removed, and removing nothing is no failure', async () => {
      await stage('a', '0');

      await storage.staging.remove('a');
      await storage.staging.remove('a');

      expect(await storage.staging.ids()).toEqual([]);
    });
  });

  describe('a blob', () => {
    it('is what was staged, once it is committed', async () => {
      await stage('a', '0123', '456789');

      await storage.blobs.commit('a', digest);

      expect(await storage.blobs.sizeOf(digest)).toBe(10);
      expect(await buffer(storage.blobs.read(digest))).toEqual(content);
      expect(await storage.staging.ids()).toEqual([]);
    });

    it.each([
      [0, 0, '0'],
      [2, 5, '2345'],
      [3, 9, '3456789'],
      [0, 9, '0123456789'],
      [4, 4, '4'],
    ])('is read from byte %d to %d', async (start, end, expected) => {
      await stage('a', '01', '2345', '', '6789');
      await storage.blobs.commit('a', digest);

      expect(await text(storage.blobs.read(digest, { start, end }))).toBe(expected);
    });

    it('may be empty', async () => {
      const empty = digestOf(Buffer.alloc(0));
      await storage.blobs.write(Buffer.alloc(0), empty);

      expect([await storage.blobs.sizeOf(empty), await text(storage.blobs.read(empty))]).toEqual([0, '']);
    });

    it('is written again without harm', async () => {
      await storage.blobs.write(content, digest);
      await stage('a', '0123456789');
      await storage.blobs.commit('a', digest);

      expect(await storage.blobs.readWhole(digest)).toEqual(content);
    });

    it('is unknown before that', async () => {
      expect(await storage.blobs.sizeOf(digest)).toBeUndefined();
    });
  });

  describe('a repository', () => {
    it('holds the blobs that were linked in it, until they are unlinked', async () => {
      await storage.repositories.linkBlob(app, digest);
      await storage.repositories.linkBlob(app, digest);

      expect(await storage.repositories.holdsBlob(app, digest)).toBe(true);
      expect(await storage.repositories.holdsBlob(other, digest)).toBe(false);
      expect(await storage.repositories.isBlobHeld(digest)).toBe(true);
      expect(await storage.repositories.unlinkBlob(app, digest)).toBe(true);
      expect(await storage.repositories.unlinkBlob(app, digest)).toBe(false);
      expect(await storage.repositories.isBlobHeld(digest)).toBe(false);
    });

    it('is named while it holds a manifest, and known from the first one on', async () => {
      await storage.repositories.linkBlob(other, digest);
      expect([await names(), await storage.repositories.tags(other)]).toEqual([[], undefined]);

      await storage.repositories.linkManifest(app, { digest, mediaType: mediaType.ociManifest });
      expect([await names(), await storage.repositories.tags(app)]).toEqual([[app], []]);

      await storage.repositories.removeManifest(app, digest, undefined);
      expect([await names(), await storage.repositories.tags(app)]).toEqual([[], []]);
    });

    it('knows its manifests by the type they were last linked with', async () => {
      await storage.repositories.linkManifest(app, { digest, mediaType: mediaType.ociManifest });
      await storage.repositories.linkManifest(app, { digest, mediaType: mediaType.dockerManifest });

      expect(await storage.repositories.manifestType(app, digest)).toBe(mediaType.dockerManifest);
      expect(await storage.repositories.manifestType(other, digest)).toBeUndefined();
    });

    it('moves and removes tags', async () => {
      await storage.repositories.writeTag(app, v1, subject);
      await storage.repositories.writeTag(app, v1, digest);

      expect(await storage.repositories.readTag(app, v1)).toBe(digest);
      expect(await storage.repositories.tags(app)).toEqual([v1]);
      expect(await storage.repositories.removeTag(app, v1)).toBe(true);
      expect(await storage.repositories.removeTag(app, v1)).toBe(false);
      expect(await storage.repositories.readTag(app, v1)).toBeUndefined();
    });

    it('removes a manifest with the tags that name it and its entry as a referrer', async () => {
      await storage.repositories.linkManifest(app, { digest, mediaType: mediaType.ociManifest, referral: { subject, descriptor } });
      await storage.repositories.linkManifest(app, { digest: subject, mediaType: mediaType.ociManifest });
      await storage.repositories.writeTag(app, v1, digest);
      await storage.repositories.writeTag(app, parseTag('kept'), subject);

      expect(await storage.repositories.removeManifest(app, digest, subject)).toBe(true);

      expect(await storage.repositories.manifestType(app, digest)).toBeUndefined();
      expect(await storage.repositories.tags(app)).toEqual(['kept']);
      expect(await storage.repositories.referrers(app, subject)).toEqual([]);
      expect(await storage.repositories.removeManifest(app, digest, subject)).toBe(false);
    });

    it('lists referrers once each, in order, with what is said of them', async () => {
      const second = digestOf(Buffer.from('second'));
      const referral = { subject, descriptor: { ...descriptor, digest: second } };
      for (const linked of [second, digest, second]) {
        await storage.repositories.linkManifest(app, {
          digest: linked,
          mediaType: mediaType.ociManifest,
          referral: linked === second ? referral : { subject, descriptor },
        });
      }

      expect(await storage.repositories.referrers(app, subject)).toEqual([digest, second].toSorted());
      expect(await storage.repositories.referrer(app, subject, digest)).toEqual(descriptor);
      expect(await storage.repositories.referrers(other, subject)).toEqual([]);
    });
  });
});

describe('a storage in memory', () => {
  it('refuses what would not fit, and takes more when something went', async () => {
    const storage = openMemory(100);
    const staged = await storage.staging.append('a');
    await staged.write(Buffer.alloc(60));

    await expect(staged.write(Buffer.alloc(60))).rejects.toMatchObject({ code: 'memory-full' });
    await expect(storage.blobs.write(Buffer.alloc(60), digest)).rejects.toMatchObject({ code: 'memory-full' });

    await storage.staging.remove('a');
    await storage.blobs.write(Buffer.alloc(100), digest);
    await expect(storage.repositories.writeTag(app, v1, digest)).rejects.toMatchObject({ code: 'memory-full' });
  });

  it('gives back everything that was taken for what is gone', async () => {
    const storage = openMemory(8 * 1024);

    for (let round = 0; round < 100; round += 1) {
      const staged = await storage.staging.append('a');
      await staged.write(content);
      await storage.staging.truncate('a', 5);
      await storage.staging.remove('a');
      await storage.repositories.linkBlob(app, digest);
      await storage.repositories.linkManifest(app, { digest, mediaType: mediaType.ociManifest, referral: { subject, descriptor } });
      await storage.repositories.writeTag(app, v1, digest);
      await storage.repositories.removeManifest(app, digest, subject);
      await storage.repositories.unlinkBlob(app, digest);
      await storage.blobs.write(content, digest);
    }

    expect(await storage.blobs.sizeOf(digest)).toBe(10);
  });
});
