import { ContentError, type Digest, isReservedTag, type Tag } from '@waybill/oci-model';
import { atOnce } from './at-once.js';
import { ManifestWalk, type WalkRecords, type Wanted } from './manifest-walk.js';
import type { RepositoryReader } from './ports.js';
import { isOfTheRegistry } from './problem.js';
import { resolveTags } from './resolve-tags.js';

export interface ReferencesLook {
  readonly reader: RepositoryReader;
  readonly records: WalkRecords;
  readonly tags: readonly Tag[];
  readonly digests: readonly Digest[];
  /** Of the digests, those that are said to be gone: the registry is asked for them even if they are known to be there. */
  readonly deleted: ReadonlySet<Digest>;
  /** By the clock that times in manifests are judged by. */
  readonly now: Date;
}

/** What the registry said; what is in neither could not be asked. */
export interface ReferencesSeen {
  /** What tags name; undefined for one that is not there. */
  readonly tags: ReadonlyMap<Tag, Digest | undefined>;
  /** Whether manifests are there. */
  readonly digests: ReadonlyMap<Digest, boolean>;
}

const headsAtOnce = 4;

/**
 * Looks at some tags and digests of one repository, as a crawl would: one HEAD for each tag, and manifests are read once for a
 * digest. What fails alone is left out.
 * @throws ContentError trouble of the registry
 */
export async function lookAtReferences(look: ReferencesLook, signal: AbortSignal): Promise<ReferencesSeen> {
  const { reader, records, now } = look;
  const resolved = await resolveTags(reader, look.tags, signal);
  const asked = await askFor(reader, look.deleted, signal);
  const walk = new ManifestWalk({ reader, records, now, count: () => undefined }, signal);
  await walk.show(wantedOf(look, resolved.digests, asked));
  const told = look.digests.filter((digest) => !look.deleted.has(digest));
  const placed = told.length === 0 ? [] : (await records.statusOf(told)).filter(({ isPlaced }) => isPlaced).map(({ digest }) => digest);
  const shown = new Set(placed);
  const unread = await askFor(reader, new Set(told.filter((digest) => !shown.has(digest))), signal);
  return {
    tags: new Map<Tag, Digest | undefined>([...resolved.digests, ...[...resolved.absent].map((tag) => [tag, undefined] as const)]),
    digests: new Map([...placed.map((digest) => [digest, true] as const), ...asked, ...unread]),
  };
}

function wantedOf(
  { digests, deleted }: ReferencesLook,
  tags: ReadonlyMap<Tag, Digest>,
  asked: ReadonlyMap<Digest, boolean>,
): readonly Wanted[] {
  const wanted = new Map<Digest, Wanted>();
  for (const digest of digests) {
    const isSeen = asked.get(digest) === true;
    if (isSeen || !deleted.has(digest)) wanted.set(digest, { digest, isSeen, withConfig: true });
  }
  for (const [tag, digest] of tags) {
    wanted.set(digest, { digest, isSeen: true, withConfig: !isReservedTag(tag) || wanted.get(digest)?.withConfig === true });
  }
  return [...wanted.values()];
}

/** Whether manifests are there; of those that could not be asked about, nothing. */
async function askFor(reader: RepositoryReader, digests: ReadonlySet<Digest>, signal: AbortSignal): Promise<ReadonlyMap<Digest, boolean>> {
  const asked = new Map<Digest, boolean>();
  await atOnce(digests, headsAtOnce, async (digest) => {
    try {
      asked.set(digest, await reader.hasManifest(digest, signal));
    } catch (error) {
      if (!(error instanceof ContentError) || isOfTheRegistry(error)) throw error;
    }
  });
  return asked;
}
