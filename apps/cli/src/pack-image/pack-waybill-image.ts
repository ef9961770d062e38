import { realpath } from 'node:fs/promises';
import { type ImageConfig, type LayerEntry, OciLayout, writeImage } from '@waybill/oci-layout';
import { type Digest, hexOf, parseTag, type Tag } from '@waybill/oci-model';
import { buildEntries } from './build-layer.js';
import { dependencyEntries } from './dependency-layer.js';
import { type PackRecord, readPackRecord, writePackRecord } from './pack-record.js';
import { PackError } from './pack-error.js';
import { type LayerName, layerNames, type PackedLayer, packLayer, type PackProgress } from './packed-layer.js';
import { type ProductionPackages, productionPackages, readLock } from './production-packages.js';
import { findRuntime, imageUser, type Runtime } from './runtime-layer.js';

export interface PackImageOptions {
  /** The repository's root, built. */
  readonly root: string;
  /** Where the image goes; also remembers what it was made from. Made when missing. */
  readonly layoutDir: string;
  /** First part of the tag, and said by the image's labels. */
  readonly version: string;
  /** The Node to pack, default the one that runs this. */
  readonly node?: string;
  readonly onProgress?: (progress: PackProgress) => void;
  readonly signal?: AbortSignal;
}

export interface PackedImage {
  /** `<version>-<first 12 hex digits of the digest>` */
  readonly tag: Tag;
  readonly digest: Digest;
  /** Bytes to move when nothing of it is there yet: manifest, config and layers. */
  readonly bytes: number;
  readonly layers: readonly PackedLayer[];
  /** True when no layer had to be written. */
  readonly reused: boolean;
}

interface PackContext {
  readonly layout: OciLayout;
  readonly record: PackRecord;
  readonly options: PackImageOptions;
}

/** Where Waybill lies in the image. */
const home = 'opt/waybill';
const apps = ['apps/api', 'apps/cli', 'apps/worker'] as const;
const architectures: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Packs a runnable Linux image of Waybill itself: this Node with the libraries it needs, production
 * dependencies, build output. Equal input gives an equal digest; what has not changed since the last
 * packing into the same layout is not read again. The image packed before is removed from the layout.
 * @throws PackError, LayerError, ContentError
 */
export async function packWaybillImage(options: PackImageOptions): Promise<PackedImage> {
  const architecture = thisArchitecture();
  const layout = await OciLayout.create(options.layoutDir);
  const record = await readPackRecord(layout.dir);
  const [runtime, production] = await Promise.all([
    findRuntime(await realpath(options.node ?? process.execPath)),
    readProduction(options.root),
  ]);

  const entries = {
    runtime: runtime.entries,
    dependencies: await collect(dependencyEntries(options.root, home, production.packages)),
    build: await collect(buildEntries(options.root, home, production)),
  };

  const layers = await packAll(entries, { layout, record, options });
  const facts = factsOf(options.version);
  const image = await writeImage(
    layout,
    {
      layers: layers.map(({ layer }) => layer),
      config: configOf(runtime, facts),
      platform: { os: 'linux', architecture },
      annotations: facts,
      tag: (digest) => parseTag(`${options.version}-${hexOf(digest).slice(0, 12)}`),
    },
    options.signal,
  );
  if (record.tag !== undefined && record.tag !== image.tag) await layout.removeTag(record.tag);
  await writePackRecord(layout.dir, { tag: image.tag, layers: Object.fromEntries(layers.map((layer) => [layer.name, layer])) });
  return {
    tag: image.tag,
    digest: image.manifest.digest,
    bytes: image.blobs.reduce((sum, { size }) => sum + size, image.manifest.bytes.byteLength),
    layers,
    reused: layers.every(({ reused }) => reused),
  };
}

/** @throws PackError `platform-unsupported` */
function thisArchitecture(): string {
  const architecture = architectures[process.arch];
  if (process.platform === 'linux' && architecture !== undefined) return architecture;
  throw new PackError(
    'platform-unsupported',
    `an image of Waybill is packed from this machine's Node, which is for ${process.platform}/${process.arch} and not for Linux on x64 or arm64: name an image of your own with --image`,
  );
}

async function readProduction(root: string): Promise<ProductionPackages> {
  return productionPackages(await readLock(root), apps);
}

/** All layers at the same time, because compressing is what takes long; the first failure ends the others. */
async function packAll(entries: Readonly<Record<LayerName, readonly LayerEntry[]>>, context: PackContext): Promise<readonly PackedLayer[]> {
  const { layout, record, options } = context;
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const packed = await Promise.all(
    layerNames.map((name) =>
      packLayer(name, entries[name], { layout, before: record.layers[name], onProgress: options.onProgress, signal }).catch(
        (error: unknown) => {
          failed.abort(error);
          return undefined;
        },
      ),
    ),
  );
  failed.signal.throwIfAborted();
  return packed.filter((layer) => layer !== undefined);
}

function configOf({ libraryFolders }: Runtime, labels: Readonly<Record<string, string>>): ImageConfig {
  const libraryPath = libraryFolders.length === 0 ? [] : [`LD_LIBRARY_PATH=${libraryFolders.join(':')}`];
  return {
    user: `${imageUser.id}:${imageUser.id}`,
    env: ['PATH=/usr/local/bin:/usr/bin:/bin', `HOME=${imageUser.home}`, 'NODE_ENV=production', ...libraryPath],
    cmd: ['waybill', '--help'],
    workingDir: `/${home}`,
    labels,
  };
}

/** image-spec v1.1.1, annotations.md "Pre-Defined Annotation Keys". */
function factsOf(version: string): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.title': 'waybill',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  };
}

async function collect(entries: AsyncIterable<LayerEntry>): Promise<readonly LayerEntry[]> {
  const all: LayerEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}
