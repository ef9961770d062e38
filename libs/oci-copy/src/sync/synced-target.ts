import type { ContentStore, Digest, RepositoryName, Tag } from '@waybill/oci-model';
import type { CopyError } from '../copy-error.js';
import { request } from '../request.js';
import type { CopySession } from '../session.js';
import type { SyncTarget } from './sync-options.js';

/** Tags in a row that a target may fail to tell of, before it is not asked for the others. */
const mostFailures = 5;

/** One target for as long as a sync lasts. */
export class SyncedTarget {
  readonly id: string;
  readonly store: ContentStore;
  readonly mountFrom: readonly RepositoryName[];
  #failures = 0;
  #givenUp: CopyError | undefined;

  constructor(
    target: SyncTarget,
    private readonly session: CopySession,
  ) {
    this.id = target.id;
    this.store = target.store;
    this.mountFrom = target.mountFrom ?? [];
  }

  /** What a tag names here. Rejects with CopyError; at once when the target has been given up. */
  async resolve(tag: Tag): Promise<Digest | undefined> {
    if (this.#givenUp !== undefined) throw this.#givenUp;
    const { settings } = this.session;
    const place = { side: 'target', target: this.id, operation: 'resolve tag' } as const;
    const limit = this.session.target(this.id).slots.manifests;
    try {
      const digest = await request(place, { settings, signal: settings.signal, limit, retries: 0 }, (signal) =>
        this.store.resolveTag(tag, signal),
      );
      this.#failures = 0;
      return digest;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= mostFailures) this.#givenUp ??= error as CopyError;
      throw error;
    }
  }

  /** A target that went silent in the middle of a copy has held the others up once, and is left alone from then on. */
  noteFailure(error: CopyError): void {
    if (error.code === 'stalled' && error.side === 'target') this.#givenUp ??= error;
  }
}
