import { ContentError, type Digest, type Tag } from '@waybill/oci-model';
import { atOnce } from './at-once.js';
import type { Problem, RepositoryReader } from './ports.js';
import { isOfTheRegistry, problemOf } from './problem.js';

/** What the tags of one repository name. */
export interface ResolvedTags {
  readonly digests: ReadonlyMap<Tag, Digest>;
  /** Listed, and not there when they were asked for: the later answer counts. */
  readonly absent: ReadonlySet<Tag>;
  /** What they name is unknown. */
  readonly unknown: ReadonlyMap<Tag, Problem>;
}

const headsAtOnce = 8;
/** A registry that fails more tags than this is in trouble itself: the look at the repository fails. */
const maxUnknown = 20;

/**
 * One HEAD for each tag. A tag that fails alone is unknown.
 * @throws ContentError trouble of the registry, and the last of too many tags that failed
 */
export async function resolveTags(reader: RepositoryReader, tags: Iterable<Tag>, signal: AbortSignal): Promise<ResolvedTags> {
  const digests = new Map<Tag, Digest>();
  const absent = new Set<Tag>();
  const unknown = new Map<Tag, Problem>();
  await atOnce(tags, headsAtOnce, async (tag) => {
    try {
      const digest = await reader.resolveTag(tag, signal);
      if (digest === undefined) absent.add(tag);
      else digests.set(tag, digest);
    } catch (error) {
      if (!(error instanceof ContentError) || isOfTheRegistry(error) || unknown.size === maxUnknown) throw error;
      unknown.set(tag, problemOf(error));
    }
  });
  return { digests, absent, unknown };
}
