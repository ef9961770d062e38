import { type Digest, digestOf, digestToBytes, mediaType } from '@waybill/oci-model';
import type { Database } from '../database.js';

/** Content of that name: its digest, as that of the bytes of the name. */
export function named(name: string): Digest {
  return digestOf(Buffer.from(name));
}

export interface ManifestToSeed {
  /** Names of blobs, each of 100 bytes. */
  readonly blobs?: readonly string[];
  /** Names of manifests: it is an index then. */
  readonly children?: readonly string[];
  readonly subject?: string;
  readonly createdAt?: Date;
  readonly unreadable?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platforms?: readonly string[];
  readonly gaps?: readonly string[];
  /** When it was first seen here; long ago when absent. */
  readonly seenFrom?: Date;
  readonly pushedAt?: Date;
}

export interface RepositoryToSeed {
  readonly registryId: string;
  readonly repository: string;
  readonly state?: string;
  /** Start of its last full crawl; an hour ago when absent, never when null. */
  readonly crawledAt?: Date | null;
  /** By name. */
  readonly manifests: Readonly<Record<string, ManifestToSeed>>;
  /** Name of a manifest by tag. */
  readonly tags?: Readonly<Record<string, string>>;
  /** When and by whom the tags were seen. */
  readonly tagged?: { readonly at: Date; readonly source: 'effect' | 'crawl' };
}

export const longAgo = new Date('2024-01-01T00:00:00Z');

/** Writes a repository as a full crawl would have left it. */
export async function seedRepository(database: Database, seed: RepositoryToSeed): Promise<void> {
  const { registryId, repository, state = 'known', manifests, tags = {}, tagged = { at: longAgo, source: 'effect' } } = seed;
  const crawledAt = seed.crawledAt === undefined ? new Date(Date.now() - 3_600_000) : seed.crawledAt;
  const { tables } = database;
  await tables.$executeRaw`
    INSERT INTO repository (registry_id, name, state, suspect_since, last_full_crawl_started_at)
    VALUES (${registryId}::uuid, ${repository}, ${state}, CASE ${state} WHEN 'suspect' THEN now() END, ${crawledAt})`;
  for (const [name, manifest] of Object.entries(manifests)) await seedContent(database, name, manifest);
  for (const [name, { seenFrom = longAgo, pushedAt }] of Object.entries(manifests)) {
    await tables.$executeRaw`
      INSERT INTO placement (registry_id, repository, digest, seen_from, seen_by, pushed_at, pushed_at_source)
      VALUES (${registryId}::uuid, ${repository}, ${bytesOf(name)}, ${seenFrom}, gen_random_uuid(), ${pushedAt ?? null},
        ${pushedAt === undefined ? null : 'effect'})`;
  }
  for (const [tag, name] of Object.entries(tags)) await seedTag(database, { registryId, repository, tag, name, ...tagged });
}

/** One more thing that a tag was seen to name; nothing when `name` is absent. */
export async function seedTag(
  database: Database,
  seen: {
    readonly registryId: string;
    readonly repository: string;
    readonly tag: string;
    readonly name?: string;
    readonly at: Date;
    readonly source: string;
  },
): Promise<void> {
  const { registryId, repository, tag, name, at, source } = seen;
  await database.tables.$executeRaw`
    INSERT INTO tag_event (registry_id, repository, tag, digest, source, observed_at)
    VALUES (${registryId}::uuid, ${repository}, ${tag}, ${name === undefined ? null : bytesOf(name)}, ${source}, ${at})`;
}

/** As a crawl keeps it. */
function storedPlatform(name: string): object {
  const [os, architecture, variant] = name.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

async function seedContent(database: Database, name: string, manifest: ManifestToSeed): Promise<void> {
  const {
    blobs = [],
    children = [],
    subject,
    createdAt = longAgo,
    unreadable,
    annotations = {},
    platforms = ['linux/amd64'],
    gaps = [],
  } = manifest;
  const { tables } = database;
  const isIndex = children.length > 0;
  const type = isIndex ? mediaType.ociIndex : mediaType.ociManifest;
  for (const blob of blobs) await putContent(database, blob, mediaType.ociLayerGzip);
  for (const child of children) await putContent(database, child, mediaType.ociManifest);
  await putContent(database, name, type);
  const [json, places, lacking] = [annotations, platforms.map(storedPlatform), gaps].map((value) => JSON.stringify(value));
  await tables.$executeRaw`
    INSERT INTO manifest (digest, media_type, is_index, created_at, platforms, annotations, gaps, children, blobs, subject, raw, unreadable)
    VALUES (${bytesOf(name)}, ${type}, ${isIndex}, ${createdAt}, ${places}::jsonb, ${json}::jsonb, ${lacking}::jsonb, ${children.map(bytesOf)}::bytea[], decode(${blobs.map(packed).sort().join('')}, 'hex'),
      ${subject === undefined ? null : bytesOf(subject)}, ${new Uint8Array(Buffer.from(name))}, ${unreadable ?? null})
    ON CONFLICT DO NOTHING`;
  for (const child of [...blobs, ...children]) {
    await tables.$executeRaw`
      INSERT INTO content_edge (parent, child, kind) VALUES (${bytesOf(name)}, ${bytesOf(child)}, 'child') ON CONFLICT DO NOTHING`;
  }
}

/** As `manifest.blobs` has it. */
function packed(blob: string): string {
  return named(blob).slice('sha256:'.length, 'sha256:'.length + 16) + (100).toString(16).padStart(16, '0');
}

async function putContent({ tables }: Database, name: string, type: string): Promise<void> {
  await tables.$executeRaw`INSERT INTO content (digest, media_type, size) VALUES (${bytesOf(name)}, ${type}, 100) ON CONFLICT DO NOTHING`;
}

function bytesOf(name: string): Uint8Array<ArrayBuffer> {
  return digestToBytes(named(name));
}
