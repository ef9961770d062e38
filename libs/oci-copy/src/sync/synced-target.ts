import type { ContentStore, Digest, RepositoryName, Tag } from '@waybill/oci-model';
import type { CopyError } from '../copy-error.js';
import { request } from '../request.js';
import type { CopySession } from '../session.js';
import { GivingUp } from './giving-up.js';
import type { SyncTarget } from './sync-options.js';

/** One target for as long as a sync lasts. */
export class SyncedTarget {
  readonly id: string;
  readonly store: ContentStore;
  readonly mountFrom: readonly RepositoryName[];
  readonly #givingUp = new GivingUp();

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
    const { settings } = this.session;
    const place = { side: 'target', target: this.id, operation: 'resolve tag' } as const;
    const limit = this.session.target(this.id).slots.manifests;
    const context = { settings, signal: settings.signal, limit, retries: 0 };
    return await this.#givingUp.ask(() => request(place, context, (signal) => this.store.resolveTag(tag, signal)));
  }

  /** A target that went silent in the middle of a copy has held the others up once, and is left alone from then on. */
  noteFailure(error: CopyError): void {
    if (error.code === 'stalled' && error.side === 'target') this.#givingUp.giveUp(error);
  }
}
