import type { ContentStore, Descriptor, Digest, RepositoryName } from '@waybill/oci-model';
import { WaybillError } from '@waybill/kernel';
import pLimit from 'p-limit';
import { abortedBy, CopyError, copyErrorFrom } from './copy-error.js';
import { LinkedAbort } from './linked-abort.js';
import { type CopyHooks, type CopyTarget, maxMountSources, type Settings } from './options.js';
import type { TargetReport } from './report.js';
import { request } from './request.js';

type BlobOutcome = 'copied' | 'mounted' | 'already-present';

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
  readonly presentBlobs = new Set<Digest>();

  readonly #stop = new LinkedAbort(undefined);
  // Slots of this target alone: one that hangs takes none from the others.
  readonly #slots;
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
  #blobsAwaited: { readonly missing: number; readonly resolve: () => void } | undefined;
  #blobsSettled = 0;

  constructor(
    readonly target: CopyTarget,
    private readonly settings: Settings,
  ) {
    this.id = target.id;
    this.store = target.store;
    this.mountFrom = (target.mountFrom ?? []).slice(0, maxMountSources);
    this.#slots = { blobs: pLimit(settings.manifestsInParallel), manifests: pLimit(settings.manifestsInParallel) };
    settings.signal.addEventListener('abort', this.#abort, { once: true });
    if (settings.signal.aborted) this.#abort();
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
    this.#blobsAwaited?.resolve();
  }

  /** Does a piece of work unless the target has failed, and turns its rejection into the target's failure. */
  async guard<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#error !== undefined) return undefined;
    try {
      return await work();
    } catch (cause) {
      this.fail(copyErrorFrom(cause, { side: 'target', target: this.id, operation: 'copy' }));
      return undefined;
    }
  }

  /** A small request to the target's store. Rejects with CopyError. */
  async request<T>(operation: TargetOperation, digest: Digest, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { slots, isRepeated } = targetOperations[operation];
    const place = { side: 'target', target: this.id, operation, digest } as const;
    const retries = isRepeated ? this.settings.retries : 0;
    return request(place, { settings: this.settings, signal: this.signal, limit: this.#slots[slots], retries }, call);
  }

  /** Calls a hook of the caller. Rejects with CopyError `hook-failed`. */
  async hook(name: keyof CopyHooks, call: (hooks: CopyHooks) => Promise<void> | void): Promise<void> {
    try {
      await call(this.settings.hooks);
    } catch (cause) {
      throw this.#hookFailed(name, cause);
    }
  }

  /** @throws CopyError `hook-failed` */
  reportBytes(blob: Descriptor, bytes: number): void {
    try {
      this.settings.hooks.onBytes?.({ target: this.id, blob, bytes });
    } catch (cause) {
      throw this.#hookFailed('onBytes', cause);
    }
  }

  /** Notes that a blob is at the target. Rejects when the hook does. */
  async blobArrived(blob: Descriptor, outcome: BlobOutcome): Promise<void> {
    this.presentBlobs.add(blob.digest);
    this.#countBlob(blob.size, outcome);
    await this.hook('afterBlob', (hooks) => hooks.afterBlob?.({ target: this.id, blob, outcome }));
    this.#blobsSettled += 1;
    if (this.#blobsAwaited?.missing === this.#blobsSettled) this.#blobsAwaited.resolve();
  }

  /** Resolves when `count` blobs have arrived, or the target has failed. */
  async allBlobs(count: number): Promise<void> {
    if (this.#error !== undefined || this.#blobsSettled === count) return;
    await new Promise<void>((resolve) => {
      this.#blobsAwaited = { missing: count, resolve };
    });
  }

  manifestArrived(outcome: 'copied' | 'already-present'): void {
    this.#counts.manifests[outcome === 'copied' ? 'copied' : 'skipped'] += 1;
  }

  tagWritten(): void {
    this.#tagsWritten += 1;
  }

  /** The target has everything; a cancellation that comes now finds nothing to cancel. */
  finish(): void {
    if (this.#error === undefined) this.#finished = true;
  }

  report(): TargetReport {
    return { ...this.#outcome(), ...this.#counts, presentBlobs: this.presentBlobs };
  }

  readonly #abort = (): void => this.fail(abortedBy(this.settings.signal, 'copy'));

  #outcome() {
    if (this.#error !== undefined) {
      return { outcome: this.#error.code === 'aborted' ? 'cancelled' : 'failed', error: this.#error } as const;
    }
    const { blobs, manifests } = this.#counts;
    if (blobs.copied === 0 && blobs.mounted > 0) return { outcome: 'mounted' } as const;
    const nothing = blobs.copied + manifests.copied + this.#tagsWritten === 0;
    return { outcome: nothing ? 'already-present' : 'copied' } as const;
  }

  #countBlob(size: number, outcome: BlobOutcome): void {
    const counts = this.#counts;
    if (outcome === 'copied') {
      counts.blobs.copied += 1;
      counts.bytesCopied += size;
    } else if (outcome === 'mounted') {
      counts.blobs.mounted += 1;
      counts.bytesMounted += size;
    } else {
      counts.blobs.skipped += 1;
      counts.bytesSkipped += size;
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
