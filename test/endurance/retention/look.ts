import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Digest, digestOf, hexOf, parseTag } from '@waybill/oci-model';
import { blobsOf, type BuiltContent, manifestsOf } from '@waybill/testing';
import { skopeo } from '../../e2e/skopeo.js';
import type { Store } from './installation.js';
import { type Companion, fileOf, manifestsIn, type Release, type Scenery } from './scenery.js';

/** What is wrong with releases that should be there, and all that belongs to them. */
export async function brokenReleases(store: Store, repository: string, releases: ReadonlyMap<string, Release>): Promise<string[]> {
  const broken: string[] = [];
  for (const [tag, release] of releases) {
    try {
      await pullWhole(store, `${repository}:${tag}`, release.root);
      for (const companion of companionsOf(release)) await readCompanion(store, repository, companion);
      await readContent(store, repository, release.sbom);
    } catch (error) {
      broken.push(`${store.name}/${repository}:${tag} is not whole: ${messageOf(error)}`);
    }
  }
  return broken;
}

/** Pulls with skopeo, as a client that has no part in this; every file is hashed. */
export async function pullWhole(store: Store, reference: string, root: BuiltContent): Promise<void> {
  const [repository = '', tag = ''] = reference.split(':');
  if ((await store.tagged(repository, tag)) !== root.manifest.digest) throw new Error('the tag names something else');
  const folder = await mkdtemp(join(tmpdir(), 'waybill-pulled-'));
  try {
    const flags = ['--quiet', '--all', '--preserve-digests', '--src-tls-verify=false'];
    await skopeo('copy', ...flags, `docker://${store.host}/${reference}`, `oci:${folder}:pulled`);
    const wanted = [...manifestsOf(root).map(({ digest }) => digest), ...blobsOf(root).keys()];
    for (const digest of wanted) {
      if (digestOf(await readFile(join(folder, 'blobs/sha256', hexOf(digest)))) !== digest) throw new Error(`${digest} has other bytes`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function companionsOf({ signatures, list }: Release): readonly Companion[] {
  return [...signatures, list];
}

async function readCompanion(store: Store, repository: string, { tag, content }: Companion): Promise<void> {
  if ((await store.tagged(repository, tag)) !== content.manifest.digest) throw new Error(`${tag} does not name what it named`);
  await readContent(store, repository, content);
}

/** The client hashes what it reads. */
async function readContent(store: Store, name: string, content: BuiltContent): Promise<void> {
  const repository = store.repository(name);
  await repository.readManifest(content.manifest.digest);
  for (const [digest, { byteLength: size }] of content.blobs) {
    await buffer(await repository.readBlob({ digest, size }));
  }
}

/** What of a condemned release the registry still has, beside what stays with something kept: tags and digests. */
export async function leftOf(
  store: Store,
  { repository: name, kept }: Scenery,
  [tag, release]: readonly [string, Release],
): Promise<string[]> {
  const repository = store.repository(name);
  const stays = manifestsIn(kept.values());
  const left: string[] = [];
  for (const one of [parseTag(tag), ...companionsOf(release).map((companion) => companion.tag)]) {
    if ((await repository.resolveTag(one)) !== undefined) left.push(`${name}:${one}`);
  }
  for (const digest of manifestsIn([release]).keys()) {
    if (!stays.has(digest) && (await repository.hasManifest(digest))) left.push(`${name}@${digest}`);
  }
  return left;
}

/** Tags of the repository that holds what was deleted of another one. */
export async function trashOf(store: Store, repository: string): Promise<number> {
  let held = 0;
  try {
    for await (const tag of store.repository(`waybill-trash/${repository}`).listTags()) held += tag.length > 0 ? 1 : 0;
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'not-found') throw error;
  }
  return held;
}

/** Bytes of all blobs, manifests among them, that the registry keeps on its disk. */
export async function blobBytes({ folder }: Store): Promise<number> {
  const entries = await readdir(join(folder, 'docker/registry/v2/blobs'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Those of the digests that are on the registry's disk, whether or not it answers with them. */
export async function onDisk({ folder }: Store, digests: Iterable<Digest>): Promise<Digest[]> {
  const found: Digest[] = [];
  for (const digest of digests) {
    const file = await stat(join(folder, fileOf(digest))).catch(() => undefined);
    if (file !== undefined) found.push(digest);
  }
  return found;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
