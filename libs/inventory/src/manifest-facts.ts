import {
  childrenOf,
  ContentError,
  type Descriptor,
  isIndexMediaType,
  type Manifest,
  type ManifestView,
  mediaType,
  viewManifest,
} from '@waybill/oci-model';
import { type CreationTime, creationTime } from './creation-time.js';
import type { ImageConfig } from './image-config.js';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

/** `annotations`: more or longer ones than are kept; `platforms`: an image, or a child of an index, does not say what it is for. */
export type FactsGap = 'annotations' | 'platforms';

/** What a manifest says, as the inventory keeps it. */
export interface ManifestFacts {
  readonly manifest: Manifest;
  readonly isIndex: boolean;
  readonly artifactType: string | undefined;
  readonly config: Descriptor | undefined;
  readonly created: CreationTime;
  readonly platforms: readonly Platform[];
  /** As many as are kept, and none that is too long. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Facts of which some are missing, so that nothing follows from what is not among them. */
  readonly gaps: readonly FactsGap[];
  readonly subject: Descriptor | undefined;
  /** Manifests and blobs right beneath it, each once. */
  readonly children: readonly Descriptor[];
  /** Those that it names itself, each once. */
  readonly blobs: readonly Descriptor[];
  /** Of these blobs. */
  readonly blobBytes: number;
  /** Why what it says is not understood; what is beneath it is unknown then. */
  readonly unreadable: string | undefined;
}

/** What is known of a manifest beside its bytes. */
export interface ManifestSurroundings {
  /** The image's config; `unread` when nobody asked for it, undefined when it could not be read. */
  readonly config: ImageConfig | 'unread' | undefined;
  /** As the index says above it. */
  readonly platform?: Descriptor['platform'];
  /** Of the image that an index without a time of its own was made for first. */
  readonly childCreated?: CreationTime;
  readonly now: Date;
}

/** Keys beyond these are kept in the bytes only: annotations are anybody's to write. */
const maxAnnotations = 64;
const maxKeyLength = 256;
const maxValueLength = 4_096;
const createdAnnotation = 'org.opencontainers.image.created';

/** Whether a config of that type says when an image was made and for what (image-spec v1.1.1, config.md, and Docker's). */
export function isImageConfig({ mediaType: type }: Descriptor): boolean {
  return type === mediaType.ociConfig || type === 'application/vnd.docker.container.image.v1+json';
}

/** Never rejects what cannot be understood: that is a fact too. */
export function describeManifest(manifest: Manifest, surroundings: ManifestSurroundings): ManifestFacts {
  try {
    const view = viewManifest(manifest);
    const { manifests, blobs } = childrenOf(manifest);
    const platforms = platformsOf(view, surroundings);
    const annotations = bounded(view.annotations ?? {});
    return {
      manifest,
      isIndex: view.kind === 'index',
      artifactType: view.artifactType,
      config: view.kind === 'image' ? view.config : undefined,
      created: createdOf(view, surroundings),
      platforms,
      annotations,
      gaps: gapsOf(view, { platforms, annotations }),
      subject: view.subject,
      children: [...manifests, ...blobs],
      blobs,
      blobBytes: blobs.reduce((sum, { size }) => sum + size, 0),
      unreadable: undefined,
    };
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    return { ...nothingBeneath, manifest, isIndex: isIndexMediaType(manifest.mediaType), unreadable: error.message };
  }
}

const nothingBeneath = {
  artifactType: undefined,
  config: undefined,
  created: { problem: 'unread' },
  platforms: [],
  annotations: {},
  gaps: [],
  subject: undefined,
  children: [],
  blobs: [],
  blobBytes: 0,
} as const;

/** Digests of the manifests right beneath it. */
export function manifestsBeneath({ manifest, unreadable }: ManifestFacts): readonly Descriptor[] {
  return unreadable === undefined ? childrenOf(manifest).manifests : [];
}

function createdOf(view: ManifestView, { config, childCreated, now }: ManifestSurroundings): CreationTime {
  const annotated = view.annotations?.[createdAnnotation];
  if (view.kind === 'index') return annotated === undefined && childCreated !== undefined ? childCreated : creationTime(annotated, now);
  if (!isImageConfig(view.config) || annotated !== undefined) return creationTime(annotated, now);
  if (config === 'unread') return { problem: 'unread' };
  return config === undefined ? { problem: 'invalid' } : creationTime(config.created, now);
}

function platformsOf(view: ManifestView, { config, platform }: ManifestSurroundings): readonly Platform[] {
  if (view.kind === 'index') return distinct(view.manifests.flatMap((child) => platformOf(child.platform) ?? []));
  if (config !== 'unread' && config?.os !== undefined && config.architecture !== undefined) {
    return [platformOf({ ...config, os: config.os, architecture: config.architecture })].filter((one) => one !== undefined);
  }
  return [platformOf(platform)].filter((one) => one !== undefined);
}

function gapsOf(view: ManifestView, { platforms, annotations }: Pick<ManifestFacts, 'platforms' | 'annotations'>): readonly FactsGap[] {
  const gaps: FactsGap[] = [];
  if (Object.keys(annotations).length < Object.keys(view.annotations ?? {}).length) gaps.push('annotations');
  const lacksPlatform =
    view.kind === 'index' ? view.manifests.some(({ platform }) => !platform?.os) : isImageConfig(view.config) && platforms.length === 0;
  if (lacksPlatform) gaps.push('platforms');
  return gaps;
}

/** BuildKit gives what is no image, as attestations, a platform of its own: `unknown/unknown`. */
function platformOf(platform: Descriptor['platform']): Platform | undefined {
  if (platform === undefined || platform.os === 'unknown' || platform.os === '') return undefined;
  const { os, architecture, variant } = platform;
  const osVersion = platform['os.version'];
  return { os, architecture, ...(variant ? { variant } : {}), ...(osVersion ? { osVersion } : {}) };
}

function distinct(platforms: readonly Platform[]): readonly Platform[] {
  return [...new Map(platforms.map((platform) => [JSON.stringify(platform), platform])).values()];
}

function bounded(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = Object.entries(annotations).filter(([key, value]) => key.length <= maxKeyLength && value.length <= maxValueLength);
  return Object.fromEntries(kept.slice(0, maxAnnotations));
}
