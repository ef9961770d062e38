import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { digestOf, hexOf, mediaType, parseRepositoryName, parseTag } from '@waybill/oci-model';
import type * as Durable from './durable-file.js';
import { ForgetfulDisk } from './forgetful-disk.spec-helper.js';
import type * as OpenFiles from './open-files.js';
import { tagToFileName } from './tag-file-name.js';

const bytes = Buffer.from('everything that was asked for');
let all: string;
let disk: ForgetfulDisk;
let root: string;
let durable: typeof Durable;
let storage: typeof OpenFiles;

beforeAll(async () => {
  all = await mkdtemp(join(tmpdir(), 'waybill-power-'));
});
afterAll(() => rm(all, { recursive: true, force: true }));
beforeEach(async () => {
  root = await mkdtemp(join(all, 'disk-'));
  disk = await ForgetfulDisk.on(root);
  jest.resetModules();
  jest.unstable_mockModule('node:fs/promises', () => disk.files);
  durable = await import('./durable-file.js');
  storage = await import('./open-files.js');
});

describe('a file', () => {
  beforeEach(() => durable.makeFolder(join(root, 'scratch')));

  it('is there after a power failure once it was written, in folders that were not', async () => {
    const path = join(root, 'a', 'b', 'file');

    await durable.writeDurably(path, bytes, join(root, 'scratch'));

    expect(await disk.leftOf(path)).toEqual(bytes);
  });

  it('is as it was or as it is to be, whenever the power fails', async () => {
    const path = join(root, 'a', 'file');
    await durable.writeDurably(path, 'as it was', join(root, 'scratch'));
    const seen = new Set<string>();
    disk.onStep = async () => {
      for (const left of [await disk.leftOf(path), await disk.atLeastOf(path)]) seen.add(left === undefined ? 'nothing' : left.toString());
    };

    await durable.writeDurably(path, 'as it is to be', join(root, 'scratch'));

    expect([...seen].toSorted()).toEqual(['as it is to be', 'as it was']);
  });

  it('is gone after a power failure once it was removed', async () => {
    const path = join(root, 'file');
    await durable.writeDurably(path, bytes, join(root, 'scratch'));

    await durable.removeDurably(path);

    expect(await disk.leftOf(path)).toBeUndefined();
  });

  it('would be lost without a sync of its folder, and empty without one of its own', async () => {
    await writeFile(join(root, 'unsynced'), bytes);

    expect(await disk.leftOf(join(root, 'unsynced'))).toBeUndefined();
    expect(await disk.atLeastOf(join(root, 'unsynced'))).toHaveLength(0);
  });
});

describe('a folder', () => {
  it.each([
    ['by the same name', 'a', 'a'],
    ['beneath it', 'a', join('a', 'b')],
    ['beside it', join('a', 'b'), join('a', 'c')],
  ])('is there to stay for whoever else makes one %s meanwhile', async (_where, first, second) => {
    const held = disk.holdSync(root);
    const making = durable.makeFolder(join(root, first));
    await held.begun;
    const other = durable.makeFolder(join(root, second)).then(() => disk.leftOf(join(root, second)));
    // Long enough for the other one to come to an end, if it waits for nobody.
    for (let turn = 0; turn < 50; turn += 1) await stat(root);

    held.letGo();
    await making;

    expect(await other).toBeDefined();
  });

  it('that could not be made can be made later', async () => {
    await writeFile(join(root, 'a'), 'in the way');
    await expect(durable.makeFolder(join(root, 'a', 'b'))).rejects.toThrow('ENOTDIR');
    await rm(join(root, 'a'));

    await durable.makeFolder(join(root, 'a', 'b'));

    expect(await disk.leftOf(join(root, 'a', 'b'))).toBeDefined();
  });
});

describe('what a registry keeps', () => {
  it('is there after a power failure, in a data folder that was not', async () => {
    const folder = join(root, 'registries', 'prod');
    const [repository, tag, digest] = [parseRepositoryName('team/app'), parseTag('v1'), digestOf(bytes)];
    const { blobs, repositories, staging } = await storage.openFiles(folder);

    const staged = await staging.append('session');
    await staged.write(bytes);
    await staged.sync();
    await staged.close();
    await blobs.commit('session', digest);
    await repositories.linkManifest(repository, { digest, mediaType: mediaType.ociManifest });
    await repositories.writeTag(repository, tag, digest);

    expect(await disk.leftOf(join(folder, 'blobs', 'sha256', hexOf(digest).slice(0, 2), hexOf(digest)))).toEqual(bytes);
    const ofApp = join(folder, 'repositories', repository);
    expect((await disk.leftOf(join(ofApp, '_manifests', 'sha256', hexOf(digest))))?.toString()).toBe(mediaType.ociManifest);
    expect((await disk.leftOf(join(ofApp, '_tags', tagToFileName(tag))))?.toString()).toBe(digest);
  });
});
