import { isReservedTag, type Tag } from '@waybill/oci-model';
import { CopyError } from '../copy-error.js';
import { isCosignTag } from '../referrers/cosign-tags.js';
import { request } from '../request.js';
import type { SyncSettings, SyncSource } from './sync-options.js';

export interface ListedTags {
  readonly chosen: readonly Tag[];
  /** Cosign's tags; known now, they need not be asked for one by one. */
  readonly cosign: ReadonlySet<Tag>;
}

/** Lists the source's tags once. Rejects with CopyError: `source-…`, `too-many-tags`, `aborted`. */
export async function listSource(source: SyncSource, { tags, maxTags, copy }: SyncSettings): Promise<ListedTags> {
  const place = { side: 'source', operation: 'list tags' } as const;
  return await request(place, { settings: copy, signal: copy.signal, retries: copy.retries }, async (signal) => {
    const chosen = new Set<Tag>();
    const cosign = new Set<Tag>();
    for await (const tag of source.listTags(signal)) {
      if (isCosignTag(tag)) cosign.add(tag);
      else if (!isReservedTag(tag) && tags(tag)) chosen.add(tag);
      if (chosen.size > maxTags || cosign.size > maxTags) throw tooManyTags(maxTags);
    }
    return { chosen: [...chosen], cosign };
  });
}

function tooManyTags(maxTags: number): CopyError {
  return new CopyError(`source: more than ${maxTags} tags are to be brought at once`, {
    code: 'too-many-tags',
    side: 'engine',
    operation: 'list tags',
  });
}
