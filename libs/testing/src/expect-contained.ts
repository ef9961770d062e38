import { buffer } from 'node:stream/consumers';
import {
  algorithmOf,
  type BlobRef,
  childrenOf,
  ContentError,
  type ContentReader,
  type Digest,
  hexOf,
  isReferrerLister,
  type Manifest,
  parseTag,
  type TagStore,
} from '@waybill/oci-model';
import { jestGlobals } from './jest-globals.js';

type Store = ContentReader & TagStore;

/** What a repository holds of one graph, referrers and cosign's tags included. */
export interface HeldGraph {
  readonly manifests: ReadonlyMap<Digest, Manifest>;
  readonly blobs: ReadonlyMap<Digest, BlobRef>;
  /** Referrers by subject, as the store lists them. */
  readonly referrers: ReadonlyMap<Digest, readonly Digest[]>;
  /** Cosign's tags and what they name. */
  readonly tags: ReadonlyMap<string, Digest>;
}

const cosignSuffixes = ['sig', 'att', 'sbom'];

/**
 * Asserts that everything which `source` holds beneath `root` is at `target` with the same bytes:
 * manifests, blobs, referrers of any of them and theirs in turn, and cosign's tags.
 * The target may hold more. It walks by itself and trusts no engine.
 */
export async function expectContained(source: Store, target: Store, root: Digest): Promise<void> {
  const { expect } = jestGlobals();
  expect(await differencesBeneath(source, target, root)).toEqual([]);
}

/** What of the source's graph is missing or other at the target, in words; none when it is contained. */
export async function differencesBeneath(source: Store, target: Store, root: Digest): Promise<string[]> {
  const held = await heldGraph(source, root);
  const differences: string[] = [];
  for (const manifest of held.manifests.values()) {
    const there = await orMissing(target.readManifest(manifest.digest));
    if (there === undefined) differences.push(`manifest ${manifest.digest} is missing`);
    else if (!isSame(there.bytes, manifest.bytes)) differences.push(`manifest ${manifest.digest} has other bytes`);
    else if (there.mediaType !== manifest.mediaType) differences.push(`manifest ${manifest.digest} is served as ${there.mediaType}`);
  }
  for (const blob of held.blobs.values()) {
    const there = await orMissing(bytesOf(target, blob));
    if (there === undefined) differences.push(`blob ${blob.digest} is missing`);
    else if (!isSame(there, await bytesOf(source, blob))) differences.push(`blob ${blob.digest} has other bytes`);
  }
  for (const [subject, referrers] of held.referrers) {
    const listed = new Set(await listedReferrers(target, subject));
    for (const digest of referrers) if (!listed.has(digest)) differences.push(`${digest} is not listed as a referrer of ${subject}`);
  }
  for (const [tag, digest] of held.tags) {
    const named = await target.resolveTag(parseTag(tag));
    if (named !== digest) differences.push(`tag ${tag} names ${named ?? 'nothing'} instead of ${digest}`);
  }
  return differences;
}

/** Walks everything beneath `root`, what refers to any of it, and so on. */
export async function heldGraph(store: Store, root: Digest): Promise<HeldGraph> {
  const manifests = new Map<Digest, Manifest>();
  const blobs = new Map<Digest, BlobRef>();
  const referrers = new Map<Digest, readonly Digest[]>();
  const tags = new Map<string, Digest>();
  const waiting = [root];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (manifests.has(digest)) continue;
    const manifest = await store.readManifest(digest);
    manifests.set(digest, manifest);
    const children = childrenOf(manifest);
    for (const blob of children.blobs) blobs.set(blob.digest, blob);
    const listed = await listedReferrers(store, digest);
    if (listed.length > 0) referrers.set(digest, listed);
    const tagged = await cosignTagsOf(store, digest);
    for (const [tag, named] of tagged) tags.set(tag, named);
    waiting.push(...children.manifests.map((child) => child.digest), ...listed, ...tagged.values());
  }
  return { manifests, blobs, referrers, tags };
}

async function listedReferrers(store: Store, subject: Digest): Promise<Digest[]> {
  if (!isReferrerLister(store)) return [];
  const listed: Digest[] = [];
  for await (const { digest } of store.listReferrers(subject)) listed.push(digest);
  return listed;
}

async function cosignTagsOf(store: Store, subject: Digest): Promise<Map<string, Digest>> {
  const found = new Map<string, Digest>();
  // A sha512 digest does not fit into a tag.
  if (algorithmOf(subject) !== 'sha256') return found;
  for (const suffix of cosignSuffixes) {
    const tag = parseTag(`sha256-${hexOf(subject)}.${suffix}`);
    const named = await store.resolveTag(tag);
    if (named !== undefined) found.set(tag, named);
  }
  return found;
}

async function bytesOf(store: Store, blob: BlobRef): Promise<Uint8Array> {
  return await buffer(await store.readBlob(blob));
}

async function orMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
