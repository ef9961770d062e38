import type { ContentReader, Digest } from '@waybill/oci-model';
import { allOrStop } from '../all-or-stop.js';
import type { FoundReferrer } from '../report.js';
import { request, type RequestContext } from '../request.js';
import { isTagReader } from './cosign-tags.js';
import { ReferrerLists } from './referrer-lists.js';

/** What must refer to the graph at the store, as a copy's report or `findReferrers` names it. */
export type ExpectedReferrer = Pick<FoundReferrer, 'referrer' | 'subject' | 'tags'>;

export interface ReferenceContext extends RequestContext {
  /** Names the store in errors. */
  readonly target: string | undefined;
  /** The subject that a manifest which was read back names itself. */
  readonly subjectOf: (referrer: Digest) => Digest | undefined;
}

/**
 * The expected referrers that are not listed by their subject, or not named by their tags. What only a tag
 * attaches is in no list, and a store that has no lists or tags is not asked for any.
 * Rejects with CopyError.
 */
export async function missingReferences(
  store: ContentReader,
  expected: readonly ExpectedReferrer[],
  context: ReferenceContext,
): Promise<Digest[]> {
  const side = { side: 'target', target: context.target } as const;
  const lists = new ReferrerLists(store, context.settings.maxDescriptors, (digest, call) =>
    request({ ...side, operation: 'list referrers', digest }, context, call),
  );
  const isNamed = async ({ referrer, tags }: ExpectedReferrer, signal: AbortSignal) => {
    if (!isTagReader(store)) return true;
    const place = { ...side, operation: 'resolve tag', digest: referrer };
    const named = await Promise.all(tags.map((tag) => request(place, { ...context, signal }, () => store.resolveTag(tag, signal))));
    return named.every((digest) => digest === referrer);
  };
  const found = await allOrStop(expected, context.signal, async (each, signal) => {
    const isListed = context.subjectOf(each.referrer) !== each.subject || (await lists.names(each.referrer, each.subject));
    return isListed && (await isNamed(each, signal));
  });
  return expected.filter((_, index) => found[index] !== true).map(({ referrer }) => referrer);
}
