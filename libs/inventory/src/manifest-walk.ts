import { ContentError, type Descriptor, type Digest, type Manifest, viewManifest } from '@waybill/oci-model';
import { atOnce, chunksOf } from './at-once.js';
import type { CreationTime } from './creation-time.js';
import { imageConfigFrom } from './image-config.js';
import { describeManifest, isImageConfig, manifestsBeneath, type ManifestFacts, type ManifestSurroundings } from './manifest-facts.js';
import type { CrawlCount, ManifestStatus, RepositoryReader, RepositoryRecords } from './ports.js';
import { isOfTheRegistry, problemOf } from './problem.js';

/** What a walk writes, and what it asks first. */
export type WalkRecords = Pick<RepositoryRecords, 'statusOf' | 'keepManifests' | 'keepPlaces' | 'noteUnreadable'>;

export interface ManifestWalkOptions {
  readonly reader: RepositoryReader;
  readonly records: WalkRecords;
  readonly now: Date;
  readonly count: (what: CrawlCount, by: number) => void;
}

/** A manifest that is to be known. */
export interface Wanted {
  readonly digest: Digest;
  /** A tag has just been seen to name it: it is there. What an index or a list of referrers names need not be. */
  readonly isSeen: boolean;
  /** Whether its image's config is worth a request. */
  readonly withConfig: boolean;
}

const rootsAtOnce = 8;
const statusesAtOnce = 1_000;
/** What is written together, so that memory holds no more: manifests, and bytes of them. */
const batch = { manifests: 64, bytes: 4 * 1024 * 1024 } as const;
/** A config is read whole; no image that runs has one nearly as large. */
const maxConfigBytes = 4 * 1024 * 1024;

/**
 * Makes manifests known, and what is beneath them: bytes are read once for a digest, and what was read before is only
 * shown to be here. What is beneath is kept before what is above it, so that whatever is known here to be here is
 * known whole, whenever the walk was cut off.
 */
export class ManifestWalk {
  readonly #options: ManifestWalkOptions;
  readonly #signal: AbortSignal;
  /** What was not known to be here before. */
  readonly shown = new Set<Digest>();
  readonly #visits = new Map<Digest, Promise<CreationTime | undefined>>();
  /** What is wanted for itself, also when something above it leads to it first. */
  #wanted: ReadonlyMap<Digest, Wanted> = new Map();
  #facts: ManifestFacts[] = [];
  #places: Digest[] = [];
  #bytes = 0;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: ManifestWalkOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** @throws ContentError trouble of the registry; a manifest that cannot be read is noted, and the walk goes on */
  async show(wanted: readonly Wanted[]): Promise<void> {
    for (const some of chunksOf(wanted, statusesAtOnce)) {
      const statuses = await this.#statuses(some.map(({ digest }) => digest));
      const unknown = some.filter(({ digest, withConfig }) => !isKnown(statuses.get(digest), withConfig));
      this.#wanted = new Map(unknown.map((one) => [one.digest, one]));
      try {
        await atOnce(unknown, rootsAtOnce, (one) => this.#visit(one, statuses));
      } finally {
        if (!this.#signal.aborted) await this.#flush();
      }
    }
  }

  async #statuses(digests: readonly Digest[]): Promise<ReadonlyMap<Digest, ManifestStatus>> {
    const statuses = digests.length === 0 ? [] : await this.#options.records.statusOf(digests);
    return new Map(statuses.map((status) => [status.digest, status]));
  }

  /** Gives when it was created, if that is known then. */
  #visit(wanted: Visit, statuses: ReadonlyMap<Digest, ManifestStatus>): Promise<CreationTime | undefined> {
    const { digest } = wanted;
    const status = statuses.get(digest);
    const visit = this.#visits.get(digest) ?? this.#once({ ...wanted, ...this.#wanted.get(digest) }, status);
    this.#visits.set(digest, visit);
    return visit;
  }

  async #once(wanted: Visit, status: ManifestStatus | undefined): Promise<CreationTime | undefined> {
    if (status !== undefined && isKnown(status, wanted.withConfig)) return status.created;
    const isRead = status?.isRead === true && !lacksConfig(status, wanted.withConfig);
    return isRead ? await this.#place(wanted, status) : await this.#read(wanted);
  }

  /** Its bytes are known from elsewhere: it is shown to be here. */
  async #place({ digest, isSeen }: Visit, { manifests, created }: ManifestStatus): Promise<CreationTime | undefined> {
    const statuses = await this.#statuses(manifests);
    for (const child of manifests) await this.#visit({ digest: child, isSeen: false, withConfig: false }, statuses);
    try {
      if (isSeen || (await this.#options.reader.hasManifest(digest, this.#signal))) await this.#keepPlace(digest);
      else await this.#noteUnreadable(digest, absent);
    } catch (error) {
      await this.#noteTrouble(digest, error);
    }
    return created;
  }

  async #read(wanted: Visit): Promise<CreationTime | undefined> {
    const { reader, now, count } = this.#options;
    let manifest: Manifest;
    try {
      manifest = await reader.readManifest(wanted.digest, this.#signal);
    } catch (error) {
      await this.#noteTrouble(wanted.digest, error);
      return undefined;
    }
    const beneath = manifestsBeneath(describeManifest(manifest, { config: 'unread', now }));
    const childCreated = await this.#readBeneath(beneath);
    try {
      const config = wanted.withConfig ? await this.#configOf(manifest) : 'unread';
      const { platform } = wanted;
      const facts = describeManifest(manifest, {
        config,
        now,
        ...(platform === undefined ? {} : { platform }),
        ...(childCreated === undefined ? {} : { childCreated }),
      });
      count('manifestsRead', 1);
      await this.#keepFacts(facts);
      return facts.created;
    } catch (error) {
      await this.#noteTrouble(wanted.digest, error);
      return undefined;
    }
  }

  /** Gives when the first of the images was created: an index seldom says it of itself. */
  async #readBeneath(children: readonly Descriptor[]): Promise<CreationTime | undefined> {
    const statuses = await this.#statuses(children.map(({ digest }) => digest));
    let first: CreationTime | undefined;
    for (const { digest, platform } of children) {
      const isFirstImage = first === undefined && platform !== undefined && platform.os !== 'unknown';
      const created = await this.#visit({ digest, isSeen: false, withConfig: isFirstImage, platform }, statuses);
      if (isFirstImage && created?.problem !== 'unread') first = created;
    }
    return first;
  }

  /** Undefined when there is none to be had; trouble that may pass rejects, and the manifest is read again another time. */
  async #configOf(manifest: Manifest): Promise<ManifestSurroundings['config']> {
    const config = configOf(manifest);
    if (config === undefined) return 'unread';
    if (config.size > maxConfigBytes) return undefined;
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of await this.#options.reader.readBlob(config, this.#signal)) chunks.push(chunk as Buffer);
      return imageConfigFrom(Buffer.concat(chunks));
    } catch (error) {
      if (error instanceof ContentError && !error.retryable && !isOfTheRegistry(error)) return undefined;
      throw error;
    }
  }

  async #noteTrouble(digest: Digest, error: unknown): Promise<void> {
    if (!(error instanceof ContentError) || isOfTheRegistry(error)) throw error;
    await this.#noteUnreadable(digest, problemOf(error));
  }

  async #noteUnreadable(digest: Digest, problem: { readonly code: string; readonly message: string }): Promise<void> {
    this.#options.count('manifestsUnreadable', 1);
    await this.#options.records.noteUnreadable(digest, problem);
  }

  async #keepFacts(facts: ManifestFacts): Promise<void> {
    this.shown.add(facts.manifest.digest);
    this.#facts.push(facts);
    this.#bytes += facts.manifest.bytes.byteLength;
    if (this.#facts.length >= batch.manifests || this.#bytes >= batch.bytes) await this.#flush();
  }

  async #keepPlace(digest: Digest): Promise<void> {
    this.shown.add(digest);
    this.#places.push(digest);
    if (this.#places.length >= batch.manifests) await this.#flush();
  }

  /** One batch after the other, in the order in which they were gathered. */
  async #flush(): Promise<void> {
    const [facts, places] = [this.#facts, this.#places];
    [this.#facts, this.#places, this.#bytes] = [[], [], 0];
    const { records } = this.#options;
    this.#keeping = this.#keeping.then(async () => {
      if (facts.length > 0) await records.keepManifests(facts);
      if (places.length > 0) await records.keepPlaces(places);
    });
    await this.#keeping;
  }
}

interface Visit extends Wanted {
  readonly platform?: Descriptor['platform'];
}

const absent = { code: 'not-found', message: 'the registry does not have this manifest, which something here names' };

function isKnown(status: ManifestStatus | undefined, withConfig: boolean): boolean {
  return status !== undefined && status.isRead && status.isPlaced && !lacksConfig(status, withConfig);
}

/** An image that was first seen beneath an index, and is tagged now. */
function lacksConfig({ created }: ManifestStatus, withConfig: boolean): boolean {
  return withConfig && created?.problem === 'unread';
}

function configOf(manifest: Manifest): Descriptor | undefined {
  try {
    const view = viewManifest(manifest);
    return view.kind === 'image' && isImageConfig(view.config) ? view.config : undefined;
  } catch {
    return undefined;
  }
}
