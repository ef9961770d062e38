import type { BlobProgress, TargetProgress } from '@waybill/contracts/http';
import type { Descriptor, Digest } from '@waybill/oci-model';
import { progressPages } from './progress-pages.js';

/** Told of at most four times a second. */
const roundMs = 250;
/** News of this many blobs waits for the next round; what is more is in the sums alone. */
const maxWaiting = 300;

export type BlobArrival = 'copied' | 'mounted' | 'already-present';

/** Says when to tell; a spec has its own. */
export interface ProgressTime {
  now(): number;
  after(ms: number, work: () => void): void;
}

export interface ReportProgressOptions {
  readonly promotionId: string;
  readonly location: string;
  /** Tells whoever listens; what fails is not told again. */
  readonly send: (payloads: readonly string[]) => Promise<void>;
  readonly maxPayloadBytes: number;
  readonly time?: ProgressTime;
}

const systemTime: ProgressTime = {
  now: () => performance.now(),
  // Nobody waits for news of a process that ends.
  after: (ms, work) => void setTimeout(work, ms).unref(),
};

/**
 * Tells of the bytes of one run, gathered so that many small pieces cost no more than a few. It is never waited for:
 * while the database is slow, rounds are left out, and what is told next is as it is then.
 */
export class ReportProgress {
  readonly #options: ReportProgressOptions;
  readonly #time: ProgressTime;
  readonly #blobs = new Map<string, BlobProgress>();
  readonly #sums = new Map<string, Sums>();
  readonly #changed = new Set<string>();
  #nextRound = 0;
  #isPlanned = false;

  constructor(options: ReportProgressOptions) {
    this.#options = options;
    this.#time = options.time ?? systemTime;
  }

  /** `done` bytes of a blob were given to a target. */
  given(target: string, { digest, size }: Descriptor, done: number): void {
    this.#sumsOf(target).underWay.set(digest, done);
    this.#tell({ target, digest, size, done, state: 'copying' });
  }

  /** A blob is at a target. */
  arrived(target: string, { digest, size }: Descriptor, outcome: BlobArrival): void {
    const sums = this.#sumsOf(target);
    sums.underWay.delete(digest);
    sums[outcome] += size;
    this.#tell({ target, digest, size, done: size, state: outcome === 'already-present' ? 'skipped' : outcome });
  }

  #sumsOf(target: string): Sums {
    const known = this.#sums.get(target) ?? { copied: 0, mounted: 0, 'already-present': 0, underWay: new Map<Digest, number>() };
    this.#sums.set(target, known);
    return known;
  }

  #tell(blob: BlobProgress): void {
    const key = `${blob.target} ${blob.digest}`;
    if (this.#blobs.has(key) || this.#blobs.size < maxWaiting) this.#blobs.set(key, blob);
    this.#changed.add(blob.target);
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#time.after(Math.max(0, this.#nextRound - this.#time.now()), () => void this.#round());
  }

  /** Never rejects. The next one is planned when this one is over. */
  async #round(): Promise<void> {
    this.#nextRound = this.#time.now() + roundMs;
    const { promotionId, location, send, maxPayloadBytes } = this.#options;
    const targets = [...this.#changed].map((target) => sumOf(target, this.#sumsOf(target)));
    const blobs = [...this.#blobs.values()];
    this.#changed.clear();
    this.#blobs.clear();
    // A database that does not take it has worse to complain about.
    await send(progressPages({ promotionId, location, blobs, targets }, maxPayloadBytes)).catch(() => undefined);
    this.#isPlanned = false;
    if (this.#changed.size > 0) this.#plan();
  }
}

/** Bytes of one target. */
interface Sums extends Record<BlobArrival, number> {
  readonly underWay: Map<Digest, number>;
}

function sumOf(target: string, sums: Sums): TargetProgress {
  const underWay = [...sums.underWay.values()].reduce((sum, done) => sum + done, 0);
  return { target, bytesCopied: sums.copied + underWay, bytesMounted: sums.mounted, bytesSkipped: sums['already-present'] };
}
