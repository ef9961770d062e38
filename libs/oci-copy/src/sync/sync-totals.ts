import type { Tag } from '@waybill/oci-model';
import type { CopyError } from '../copy-error.js';
import type { TargetReport } from '../report.js';
import type { SyncCounts, SyncSettings, SyncTarget, TagOutcome, TagReport } from './sync-options.js';

type Counts = { -readonly [Name in keyof SyncCounts]: number };

/** Tells the caller what became of each tag, and keeps only the sums. */
export class SyncTotals {
  readonly #counts: Map<string, Counts>;

  constructor(
    targets: readonly SyncTarget[],
    private readonly onTag: SyncSettings['onTag'],
  ) {
    this.#counts = new Map(targets.map(({ id }) => [id, noCounts()]));
  }

  /** Never rejects: a hook that does makes a failure of what it was told. */
  async add(report: TagReport): Promise<void> {
    const counts = this.#of(report.target);
    try {
      await this.onTag(report);
      counts[report.outcome] += 1;
    } catch {
      counts.failed += 1;
    }
  }

  /** A tag that could not be read at the source fails at every target. */
  async failedAtSource(tag: Tag, error: CopyError): Promise<void> {
    for (const target of this.#counts.keys()) await this.add({ tag, target, ...failureOf(error), unlisted: [] });
  }

  /** Counts what was done at a target for one root. */
  addCopy(target: string, { bytesCopied, bytesMounted, referrers }: TargetReport): void {
    const counts = this.#of(target);
    counts.bytesCopied += bytesCopied;
    counts.bytesMounted += bytesMounted;
    counts.referrersLeft += referrers.filter((referrer) => 'error' in referrer).length;
  }

  /** Counts tags that were cancelled before anything was done for them. */
  leave(tags: number): void {
    for (const counts of this.#counts.values()) counts.cancelled += tags;
  }

  counts(): ReadonlyMap<string, SyncCounts> {
    return this.#counts;
  }

  #of(target: string): Counts {
    const counts = this.#counts.get(target) ?? noCounts();
    this.#counts.set(target, counts);
    return counts;
  }
}

/** The outcome that an error means. */
export function failureOf(error: CopyError): TagOutcome {
  return { outcome: error.code === 'aborted' ? 'cancelled' : 'failed', error };
}

function noCounts(): Counts {
  return { unchanged: 0, copied: 0, conflict: 0, failed: 0, cancelled: 0, bytesCopied: 0, bytesMounted: 0, referrersLeft: 0 };
}
