import type { ContentStore, Descriptor, Digest, RepositoryName } from '@waybill/oci-model';
import { WaybillError } from '@waybill/kernel';
import { abortedBy, CopyError } from './copy-error.js';
import type { HoldUp } from './hold-up.js';
import type { KnownBlobs } from './known-blobs.js';
import { LinkedAbort } from './linked-abort.js';
import { type BytesGiven, type CopyHooks, type CopyTarget, maxMountSources, type Settings } from './options.js';
import type { ReferrerReport, TargetReport } from './report.js';
import { request } from './request.js';
import type { CopySession, Lane, TargetState } from './session.js';

export type BlobOutcome = 'copied' | 'mounted' | 'already-present';
export type ManifestOutcome = 'copied' | 'already-present';

/**
 * Small requests to a target. Those about blobs do not queue behind those about manifests.
 * Reads are repeated by the store itself; a tag is written once: whether it may still be
 * moved after a failure is for the caller to decide.
 */
const targetOperations = {
  'probe blob': { slots: 'blobs', isRepeated: false },
  'mount blob': { slots: 'blobs', isRepeated: true },
  'read manifest': { slots: 'manifests', isRepeated: false },
  'push manifest': { slots: 'manifests', isRepeated: true },
  'resolve tag': { slots: 'manifests', isRepeated: false },
  'put tag': { slots: 'manifests', isRepeated: false },
  'list referrers': { slots: 'manifests', isRepeated: false },
} as const;
type TargetOperation = keyof typeof targetOperations;

/**
 * What happens at one target. Its first failure ends it and touches no other target
 * (DESIGN invariant 8).
 */
export class TargetRun {
  readonly id: string;
  readonly store: ContentStore;
  readonly mountFrom: readonly RepositoryName[];
  /** What is known of the target's blobs, here and to the other copies of the same call. */
  readonly knownBlobs: KnownBlobs;
  readonly holdUp: HoldUp;
  /** For what the target does alone. */
  readonly lane: Lane;
  /** What became of each referrer, filled in by whoever copies them. */
  readonly referrers: ReferrerReport[] = [];
  /** Resolves when the target fails; never rejects. */
  readonly failed: Promise<void>;

  readonly #settings: Settings;
  readonly #slots: TargetState['slots'];
  readonly #stop = new LinkedAbort(undefined);
  readonly #blobs = new Map<Digest, BlobOutcome>();
  readonly #manifests = new Map<Digest, ManifestOutcome>();
  readonly #repaired = new Set<Digest>();
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #broughtAgain = new Map<Digest, Promise<boolean>>();
  readonly #counts = {
    bytesCopied: 0,
    bytesMounted: 0,
    bytesSkipped: 0,
    blobs: { copied: 0, mounted: 0, skipped: 0 },
    manifests: { copied: 0, skipped: 0 },
  };
  #tagsWritten = 0;
  #error: CopyError | undefined;
  #finished = false;
  #noteFailure: () => void = () => undefined;

  constructor(
    readonly target: CopyTarget,
    session: CopySession,
  ) {
    this.id = target.id;
    this.store = target.store;
    this.mountFrom = (target.mountFrom ?? []).slice(0, maxMountSources);
    this.#settings = session.settings;
    const { blobs, slots, holdUp, lane } = session.target(target.id);
    this.knownBlobs = blobs;
    this.holdUp = holdUp;
    this.lane = lane;
    this.#slots = slots;
    this.failed = new Promise((resolve) => {
      this.#noteFailure = resolve;
    });
    const { signal } = session.settings;
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  /** Ends what is under way here, when the caller cancels or the target is of no use any more. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why nothing new is begun here; undefined while all is well. */
  get error(): CopyError | undefined {
    return this.#error;
  }

  /** Ends this target's copy. Of several errors the first counts. */
  fail(error: CopyError): void {
    if (this.#finished || this.#error !== undefined) return;
    this.#error = error;
    // A bad blob at the source is no reason to waste transfers that are under way.
    if (error.side !== 'source') this.#stop.abort(error);
    this.#noteFailure();
  }

  /** A small request to the target's store. Rejects with CopyError. */
  async request<T>(operation: TargetOperation, digest: Digest, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { slots, isRepeated } = targetOperations[operation];
    const place = { side: 'target', target: this.id, operation, digest } as const;
    const settings = this.#settings;
    const retries = isRepeated ? settings.retries : 0;
    return request(place, { settings, signal: this.signal, limit: this.#slots[slots], retries }, call);
  }

  /** Calls a hook of the caller. Rejects with CopyError `hook-failed`. */
  async hook(name: keyof CopyHooks, call: (hooks: CopyHooks) => Promise<void> | void): Promise<void> {
    try {
      await call(this.#settings.hooks);
    } catch (cause) {
      throw this.#hookFailed(name, cause);
    }
  }

  /** @throws CopyError `hook-failed` */
  reportBytes(blob: Descriptor, given: BytesGiven): void {
    try {
      this.#settings.hooks.onBytes?.({ target: this.id, blob, ...given });
    } catch (cause) {
      throw this.#hookFailed('onBytes', cause);
    }
  }

  /** What this run did with a blob; undefined when it has not arrived. */
  outcomeOfBlob(digest: Digest): BlobOutcome | undefined {
    return this.#blobs.get(digest);
  }

  /** What this run did with a manifest; undefined when it has not arrived. */
  outcomeOfManifest(digest: Digest): ManifestOutcome | undefined {
    return this.#manifests.get(digest);
  }

  /** Notes that a blob is at the target; a copy replaces what was believed before. Rejects when the hook does. */
  async blobArrived(blob: Descriptor, outcome: BlobOutcome): Promise<void> {
    this.knownBlobs.arrived(blob.digest);
    const before = this.#blobs.get(blob.digest);
    if (before !== undefined && (before === 'copied' || outcome !== 'copied')) return;
    if (before !== undefined) this.#countBlob(blob.size, before, -1);
    this.#blobs.set(blob.digest, outcome);
    this.#countBlob(blob.size, outcome, 1);
    await this.hook('afterBlob', (hooks) => hooks.afterBlob?.({ target: this.id, blob, outcome }));
  }

  /** Notes that a manifest is at the target; a copy replaces what was believed before. False when that is not news. */
  manifestArrived(digest: Digest, outcome: ManifestOutcome): boolean {
    const before = this.#manifests.get(digest);
    if (before !== undefined && (before === 'copied' || outcome !== 'copied')) return false;
    const { manifests } = this.#counts;
    if (before !== undefined) manifests.skipped -= 1;
    manifests[outcome === 'copied' ? 'copied' : 'skipped'] += 1;
    this.#manifests.set(digest, outcome);
    return true;
  }

  /** True once for each manifest: what did not help the first time would not the second time. */
  beginRepair(digest: Digest): boolean {
    if (this.#repaired.has(digest)) return false;
    this.#repaired.add(digest);
    return true;
  }

  /**
   * Manifests that are repaired at the same time share their blobs: `work` brings each digest once. When it does not
   * arrive, for reasons of the one that was repaired, whoever else wants it brings it by itself.
   */
  async bringAgain(digest: Digest, work: () => Promise<void>): Promise<void> {
    for (let other = this.#broughtAgain.get(digest); other !== undefined; other = this.#broughtAgain.get(digest)) {
      if (await other) return;
    }
    const arrival = work().then(() => {
      const hasArrived = this.knownBlobs.has(digest);
      if (!hasArrived) this.#broughtAgain.delete(digest);
      return hasArrived;
    });
    this.#broughtAgain.set(digest, arrival);
    await arrival;
  }

  tagWritten(): void {
    this.#tagsWritten += 1;
  }

  /** Notes work of the target that nobody else waits for; it never rejects. */
  track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  /** Resolves when all tracked work has ended, and what that began. */
  async ended(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** The target has everything; a cancellation that comes now finds nothing to cancel. */
  finish(): void {
    if (this.#error === undefined) this.#finished = true;
    this.#settings.signal.removeEventListener('abort', this.#abort);
  }

  report(): TargetReport {
    return { ...this.#outcome(), ...this.#counts, presentBlobs: new Set(this.#blobs.keys()), referrers: this.referrers };
  }

  readonly #abort = (): void => this.fail(abortedBy(this.#settings.signal, 'copy'));

  #outcome() {
    if (this.#error !== undefined) {
      return { outcome: this.#error.code === 'aborted' ? 'cancelled' : 'failed', error: this.#error } as const;
    }
    const { blobs, manifests } = this.#counts;
    if (blobs.copied === 0 && blobs.mounted > 0) return { outcome: 'mounted' } as const;
    const nothing = blobs.copied + manifests.copied + this.#tagsWritten === 0;
    return { outcome: nothing ? 'already-present' : 'copied' } as const;
  }

  #countBlob(size: number, outcome: BlobOutcome, times: 1 | -1): void {
    const counts = this.#counts;
    if (outcome === 'copied') {
      counts.blobs.copied += times;
      counts.bytesCopied += times * size;
    } else if (outcome === 'mounted') {
      counts.blobs.mounted += times;
      counts.bytesMounted += times * size;
    } else {
      counts.blobs.skipped += times;
      counts.bytesSkipped += times * size;
    }
  }

  #hookFailed(name: keyof CopyHooks, cause: unknown): CopyError {
    const typed = cause instanceof WaybillError;
    return new CopyError(`target "${this.id}": the hook ${name} failed${typed ? `: ${cause.message}` : ''}`, {
      code: 'hook-failed',
      side: 'target',
      operation: name,
      target: this.id,
      retryable: typed && cause.retryable,
      cause,
    });
  }
}
