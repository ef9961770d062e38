import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, mediaType, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { openFiles } from './open-files.js';

const repository = parseRepositoryName('team/app');
const digest = digestOf(Buffer.from('manifest'));
const subject = digestOf(Buffer.from('subject'));
const manifest = { digest, mediaType: mediaType.ociManifest };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-storage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a folder that a process left behind', () => {
  it('is cleared of what was half done', async () => {
    await openFiles(folder);
    for (const place of ['scratch', 'uploads']) await writeFile(join(folder, place, 'half'), 'x');

    await openFiles(folder);

    for (const place of ['scratch', 'uploads']) expect(await readdir(join(folder, place))).toEqual([]);
  });

  it.each([
    ['before its first step', async () => undefined],
    ['after a tag was gone', async (storage) => storage.repositories.removeTag(repository, parseTag('v1'))],
    ['after its last step', async (storage) => storage.repositories.removeManifest(repository, digest, subject)],
  ] satisfies [string, (storage: Awaited<ReturnType<typeof openFiles>>) => Promise<unknown>][])(
    'has the removal finished that was interrupted %s',
    async (_when, interrupted) => {
      const storage = await openFiles(folder);
      const descriptor = { ...manifest, size: 8 };
      await storage.repositories.linkManifest(repository, { ...manifest, referral: { subject, descriptor } });
      await storage.repositories.writeTag(repository, parseTag('v1'), digest);
      await storage.repositories.writeTag(repository, parseTag('v2'), digest);
      await storage.repositories.writeTag(repository, parseTag('kept'), subject);
      await interrupted(storage);
      await mkdir(join(folder, 'removals'), { recursive: true });
      await writeFile(join(folder, 'removals', 'one.json'), JSON.stringify({ repository, digest, subject }));

      const { repositories } = await openFiles(folder);

      expect(await repositories.tags(repository)).toEqual(['kept']);
      expect(await repositories.manifestType(repository, digest)).toBeUndefined();
      expect(await repositories.referrers(repository, subject)).toEqual([]);
      expect(await readdir(join(folder, 'removals'))).toEqual([]);
    },
  );

  it('names no referrer whose manifest was never linked', async () => {
    const storage = await openFiles(folder);
    await storage.repositories.linkManifest(repository, { ...manifest, referral: { subject, descriptor: { ...manifest, size: 8 } } });
    const link = join(folder, 'repositories', repository, '_manifests', ...digest.split(':'));
    await rm(link);

    const { repositories } = await openFiles(folder);

    expect(await repositories.referrer(repository, subject, digest)).toBeUndefined();
  });
});
