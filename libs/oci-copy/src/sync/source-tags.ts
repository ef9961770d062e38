import type { Digest, Tag } from '@waybill/oci-model';
import pLimit, { type LimitFunction } from 'p-limit';
import { CopyError } from '../copy-error.js';
import { request } from '../request.js';
import type { CopySession } from '../session.js';
import { GivingUp } from './giving-up.js';
import type { SyncSource } from './sync-options.js';

export type Resolved = { readonly digest: Digest } | { readonly error: CopyError };

const place = { side: 'source', operation: 'resolve tag' } as const;

/** What the tags of the source name, for as long as a sync lasts. */
export class SourceTags {
  readonly #givingUp = new GivingUp();
  /** Tries and the waits between them included: else every tag would have been tried before the first is given up. */
  readonly #turns: LimitFunction;

  constructor(
    private readonly source: SyncSource,
    private readonly session: CopySession,
  ) {
    this.#turns = pLimit(session.settings.manifestsInParallel);
  }

  /** Never rejects. A source that has gone is not asked, nor waited for, once for each tag. */
  async resolve(tag: Tag): Promise<Resolved> {
    try {
      const digest = await this.#turns(() => this.#givingUp.ask(() => this.#ask(tag)));
      return digest === undefined ? { error: gone(tag) } : { digest };
    } catch (error) {
      return { error: error as CopyError };
    }
  }

  #ask(tag: Tag): Promise<Digest | undefined> {
    return request(place, this.session.sourceContext, (signal) => this.source.resolveTag(tag, signal));
  }
}

function gone(tag: Tag): CopyError {
  return new CopyError(`source: ${tag} was listed and is gone`, { ...place, code: 'source-missing' });
}
