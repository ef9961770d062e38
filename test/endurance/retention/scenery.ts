import { type Digest, hexOf, type Manifest, referrerDescriptorOf, referrersTagOf, type Tag, withReferrer } from '@waybill/oci-model';
import { blobsOf, buildCosignTag, buildImage, buildIndex, buildReferrer, type BuiltContent, manifestsOf } from '@waybill/testing';

const layerBytes = 8 * 1024;
const arm64 = { os: 'linux', architecture: 'arm64' } as const;
/** Layers that many repositories stand on, as those of distributions are. */
const bases = Array.from({ length: 5 }, (_, seed) => buildImage({ seed, layers: 1, layerBytes: 8 * layerBytes }));

/** What stands under a tag of its own because of a release. */
export interface Companion {
  readonly tag: Tag;
  readonly content: BuiltContent;
}

/** An index of two platforms, signed as cosign does, with an SBOM that refers to it. */
export interface Release {
  readonly root: BuiltContent;
  readonly sbom: BuiltContent;
  /** Of the root and of its second platform. */
  readonly signatures: readonly Companion[];
  /** What clients keep where a registry lists no referrers (distribution-spec v1.1.1, "Referrers Tag Schema"). */
  readonly list: Companion;
}

/** What a repository holds before anything is removed, by tag. */
export interface Scenery {
  readonly repository: string;
  readonly kept: ReadonlyMap<string, Release>;
  readonly condemned: ReadonlyMap<string, Release>;
}

/**
 * The same for the same number: two releases are kept, one of them under two tags; two branches go.
 * One branch shares a platform with what stays, the other one its base with what other repositories keep.
 */
export function sceneryOf(number: number): Scenery {
  const seed = 1_000 + number * 20;
  const second = releaseOf(seed + 4, number);
  const [shared] = second.root.children;
  if (shared === undefined) throw new TypeError('a release has two platforms');
  return {
    repository: `team-${number % 10}/app-${number}`,
    kept: new Map([
      ['1.0.0', releaseOf(seed, number)],
      ['1.1.0', second],
      ['latest', second],
    ]),
    condemned: new Map([
      ['br-alone', releaseOf(seed + 8, number + 1)],
      ['br-sharing', releasedAs(buildIndex([shared, imageOf(seed + 12, number, arm64)]), seed + 12)],
    ]),
  };
}

function releaseOf(seed: number, base: number): Release {
  return releasedAs(buildIndex([imageOf(seed, base), imageOf(seed + 1, base, arm64)]), seed);
}

function releasedAs(root: BuiltContent, seed: number): Release {
  const sbom = buildReferrer(root, { artifactType: 'application/spdx+json', seed });
  const list = withReferrer(undefined, referrerDescriptorOf(sbom.manifest));
  if (list === undefined) throw new TypeError('an empty list takes a referrer');
  return {
    root,
    sbom,
    signatures: [root, ...root.children.slice(1)].map((subject) => buildCosignTag(subject)),
    list: { tag: referrersTagOf(root.manifest.digest), content: { manifest: list, blobs: new Map(), children: [] } },
  };
}

function imageOf(seed: number, base: number, platform?: BuiltContent['platform']): BuiltContent {
  const beneath = bases[base % bases.length];
  return buildImage({ seed, layers: 1, layerBytes, ...(beneath && { base: beneath }), ...(platform && { platform }) });
}

/** All that stands in a repository because of a release, what is pushed first before the others. */
export function contentsOf({ root, sbom, signatures, list }: Release): readonly BuiltContent[] {
  return [root, sbom, ...signatures.map(({ content }) => content), list.content];
}

/** Every manifest of these releases, each once. */
export function manifestsIn(releases: Iterable<Release>): ReadonlyMap<Digest, Manifest> {
  const contents = [...releases].flatMap(contentsOf);
  return new Map(contents.flatMap((content) => manifestsOf(content).map((manifest) => [manifest.digest, manifest] as const)));
}

/** The bytes of each blob and manifest that a registry keeps for these releases. */
export function storedBytes(releases: readonly Release[]): Map<Digest, number> {
  const stored = new Map<Digest, number>();
  for (const { digest, bytes } of manifestsIn(releases).values()) stored.set(digest, bytes.byteLength);
  for (const content of releases.flatMap(contentsOf)) {
    for (const [digest, bytes] of blobsOf(content)) stored.set(digest, bytes.byteLength);
  }
  return stored;
}

/** What the registry can do without once everything condemned is gone: what nothing kept needs, in whichever repository. */
export function unsharedBytes(sceneries: readonly Scenery[]): ReadonlyMap<Digest, number> {
  const unshared = storedBytes(sceneries.flatMap(({ condemned }) => [...condemned.values()]));
  for (const digest of storedBytes(sceneries.flatMap(({ kept }) => [...kept.values()])).keys()) unshared.delete(digest);
  return unshared;
}

/** Where Distribution keeps a blob or a manifest, beneath the folder of its storage. */
export function fileOf(digest: Digest): string {
  const hex = hexOf(digest);
  return `docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
}
