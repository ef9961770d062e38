import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, parseRepositoryName } from '@waybill/oci-model';
import { openMemory } from './storage/memory/open-memory.js';
import type { StagingArea } from './storage/storage.js';
import { type UploadLimits, Uploads } from './uploads.js';

const repository = parseRepositoryName('app');
const limits: UploadLimits = { maxSessions: 2, maxBlobBytes: 8, idleMs: 60_000 };
let staging: StagingArea;

beforeEach(() => {
  ({ staging } = openMemory(1024));
});

const bytes = (text: string) => Readable.from([Buffer.from(text)]);

describe('upload sessions', () => {
  it('are no more than the limit, and asked to come back', async () => {
    const uploads = new Uploads(staging, limits);
    const first = await uploads.start(repository);
    await uploads.start(repository);

    await expect(uploads.start(repository)).rejects.toMatchObject({ code: 'TOOMANYREQUESTS', headers: { 'retry-after': '1' } });

    await uploads.discard(first);
    await expect(uploads.start(repository)).resolves.toMatchObject({ repository });
  });

  it('end when nobody used them for long, unless a request is at work', async () => {
    const uploads = new Uploads(staging, { ...limits, idleMs: -1 });
    const forgotten = await uploads.start(repository);
    await uploads.append(forgotten, bytes('1234'));

    const busy = await uploads.start(repository);
    await uploads.exclusively(busy, async () => {
      await uploads.start(repository);
    });

    expect(() => uploads.find(repository, forgotten.id)).toThrow(expect.objectContaining({ code: 'BLOB_UPLOAD_UNKNOWN' }));
    expect(uploads.find(repository, busy.id)).toBe(busy);
    expect(await staging.ids()).toEqual([]);
  });

  it('take no blob beyond the limit, all chunks counted', async () => {
    const uploads = new Uploads(staging, limits);
    const upload = await uploads.start(repository);
    await uploads.append(upload, bytes('12345'));

    await expect(uploads.append(upload, bytes('6789'))).rejects.toMatchObject({ code: 'SIZE_INVALID', status: 413 });

    expect(upload.size).toBe(5);
    expect(await text(staging.read(upload.id))).toBe('12345');
  });

  it('hash what earlier requests brought along with the rest', async () => {
    const uploads = new Uploads(staging, limits);
    const upload = await uploads.start(repository);
    await uploads.append(upload, bytes('12'));

    await uploads.finish(upload, bytes('34'), digestOf(Buffer.from('1234')));

    expect(await text(staging.read(upload.id))).toBe('1234');
  });

  it('are usable again after the request at work has failed', async () => {
    const uploads = new Uploads(staging, limits);
    const upload = await uploads.start(repository);
    const broken = uploads.exclusively(upload, () => Promise.reject(new Error('the client left')));

    await expect(uploads.exclusively(upload, async () => 'too early')).rejects.toMatchObject({ code: 'BLOB_UPLOAD_INVALID', status: 409 });
    await expect(broken).rejects.toThrow('the client left');
    await expect(uploads.exclusively(upload, async () => 'again')).resolves.toBe('again');
  });
});
