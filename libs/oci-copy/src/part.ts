import type { Descriptor, Digest } from '@waybill/oci-model';
import { type CopyError, copyErrorFrom } from './copy-error.js';
import type { BlobOutcome, TargetRun } from './target-run.js';

/**
 * What stands or falls together at one target: the root with everything beneath it, or one
 * referrer with what is beneath that. When an essential part fails, its target has failed;
 * when another one does, the target goes on without it.
 */
export class Part {
  #error: CopyError | undefined;
  readonly #arrived = new Set<Digest>();
  #awaited: { readonly count: number; readonly resolve: () => void } | undefined;

  constructor(
    readonly run: TargetRun,
    private readonly isEssential: boolean,
  ) {}

  /** Why nothing new is begun for this part; undefined while all is well. */
  get error(): CopyError | undefined {
    return this.#error ?? this.run.error;
  }

  /** What failed here; undefined when all is well, or when the target has failed for another reason. */
  get ownError(): CopyError | undefined {
    return this.#error;
  }

  /** Of several errors the first counts. */
  fail(error: CopyError): void {
    if (this.error !== undefined) return;
    this.#error = error;
    if (this.isEssential || endsTarget(error)) this.run.fail(error);
    this.#awaited?.resolve();
  }

  /** Does a piece of work unless the part has failed, and turns its rejection into the part's failure. */
  async guard<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.error !== undefined) return undefined;
    try {
      return await work();
    } catch (cause) {
      this.fail(copyErrorFrom(cause, { side: 'target', target: this.run.id, operation: 'copy' }));
      return undefined;
    }
  }

  /** Notes that one of the part's blobs is at the target; twice is once. Rejects when the hook does. */
  async blobArrived(blob: Descriptor, outcome: BlobOutcome): Promise<void> {
    await this.run.blobArrived(blob, outcome);
    this.#arrived.add(blob.digest);
    if (this.#awaited?.count === this.#arrived.size) this.#awaited.resolve();
  }

  /** Resolves when `count` blobs have arrived, or the part has failed. */
  async allBlobs(count: number): Promise<void> {
    if (this.error !== undefined || this.#arrived.size === count) return;
    const arrived = new Promise<void>((resolve) => {
      this.#awaited = { count, resolve };
    });
    await Promise.race([arrived, this.run.failed]);
  }
}

/** A hook that rejects, a silent target and the caller's signal end the whole target, whatever they were met with. */
export function endsTarget(error: CopyError): boolean {
  return error.code === 'hook-failed' || error.code === 'aborted' || (error.code === 'stalled' && error.side === 'target');
}
