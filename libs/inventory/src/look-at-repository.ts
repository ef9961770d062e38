import { ContentError, type Digest, isReservedTag, type Tag } from '@waybill/oci-model';
import { atOnce } from './at-once.js';
import { type CrawlKind, isLongAgo, judgeListing, type ListingJudgement } from './judge-listing.js';
import { ManifestWalk, type Wanted } from './manifest-walk.js';
import type { CrawlCount, KnownRepository, LookEnd, Problem, RepositoryReader, RepositoryRecords, TagChanges } from './ports.js';
import { isOfTheRegistry, lookTrouble, problemOf } from './problem.js';
import { resolveTags, type ResolvedTags } from './resolve-tags.js';

export interface LookOptions {
  readonly kind: CrawlKind;
  readonly reader: RepositoryReader;
  readonly records: RepositoryRecords;
  /** Whether this crawl's catalogue names it; undefined without one. */
  readonly isInCatalogue: boolean | undefined;
  /** Nobody knows that the registry does not list referrers by itself: then one request for each tagged manifest finds them. */
  readonly mayListReferrers: boolean;
  readonly count: (what: CrawlCount, by: number) => void;
}

/** What became of a look at one repository. */
export type LookOutcome =
  | { readonly outcome: 'looked' }
  /** `isOfTheRegistry`: other repositories would fail so too. */
  | { readonly outcome: 'failed'; readonly problem: Problem; readonly isOfTheRegistry: boolean };

/** What is tried anew in one look; the rest has its turn in later ones. */
const maxUnread = 1_000;
/** Manifests that no tag and no index leads to, of which one look asks the registry; where there are more, others each time. */
export const maxUntaggedAsked = 1_000;
/** Manifests that would have to be there if the repository were. */
const witnesses = 3;
const referrersAtOnce = 4;

/**
 * Looks at one repository and writes what changed. What could not be listed changes nothing, and what cannot be written down is a failure
 * of this repository alone.
 * Rejects when the records do, and when the signal is aborted.
 */
export async function lookAtRepository(options: LookOptions, signal: AbortSignal): Promise<LookOutcome> {
  const { records, count } = options;
  const known = await records.known();
  count('repositories', 1);
  try {
    await new RepositoryLook(options, known, signal).run();
    return { outcome: 'looked' };
  } catch (error) {
    const trouble = lookTrouble(error, signal);
    const problem = problemOf(trouble);
    await records.settle({ state: 'unreadable', problem, isListed: false, isComplete: false });
    count('failed', 1);
    return { outcome: 'failed', problem, isOfTheRegistry: isOfTheRegistry(trouble) };
  }
}

class RepositoryLook {
  readonly #options: LookOptions;
  readonly #known: KnownRepository;
  readonly #signal: AbortSignal;
  readonly #walk: ManifestWalk;

  constructor(options: LookOptions, known: KnownRepository, signal: AbortSignal) {
    this.#options = options;
    this.#known = known;
    this.#signal = signal;
    this.#walk = new ManifestWalk({ ...options, now: known.askedAt }, signal);
  }

  async run(): Promise<void> {
    const listed = await this.#list();
    if (listed === undefined) await this.#lookForNothing();
    else await this.#believe(listed);
  }

  /** Distribution says the same of a repository without any tag as of none: what can be read there says which it is. */
  async #lookForNothing(): Promise<void> {
    const { suspectSince, askedAt, tags } = this.#known;
    const presence = await this.#askWitnesses();
    const isEmpty = presence === 'present' || (presence === 'nothing-known' && tags.length === 0);
    if (isEmpty) await this.#believe(new Set());
    else if (this.#options.kind === 'full' && isLongAgo(suspectSince, askedAt)) await this.#giveUp();
    else await this.#suspect(looksGone, false);
  }

  /** It has looked gone for long enough. A catalogue goes on to name what was only emptied. */
  async #giveUp(): Promise<void> {
    const { isInCatalogue, records, count } = this.#options;
    const { tags } = this.#known;
    await records.settleTags({ ...noChanges, gone: tags.map(({ name }) => name) });
    count('tagsGone', tags.length);
    if (isInCatalogue === true) {
      await this.#askForUntagged();
      await this.#end(new Map());
      return;
    }
    count('gone', 1);
    await records.settle({ ...complete, state: 'gone' });
  }

  async #suspect(problem: Problem, isListed: boolean): Promise<void> {
    this.#options.count('suspect', 1);
    await this.#options.records.settle({ state: 'suspect', problem, isListed, isComplete: false });
  }

  /** All tags; undefined when the registry knows no such repository, or none with tags. */
  async #list(): Promise<Set<Tag> | undefined> {
    const listed = new Set<Tag>();
    try {
      for await (const tag of this.#options.reader.listTags(this.#signal)) listed.add(tag);
      return listed;
    } catch (error) {
      if (error instanceof ContentError && error.code === 'not-found' && listed.size === 0) return undefined;
      throw error;
    }
  }

  async #askWitnesses(): Promise<'present' | 'absent' | 'nothing-known'> {
    const { records, reader } = this.#options;
    const digests = await records.someManifests(witnesses);
    for (const digest of digests) if (await reader.hasManifest(digest, this.#signal)) return 'present';
    return digests.length === 0 ? 'nothing-known' : 'absent';
  }

  async #believe(listed: ReadonlySet<Tag>): Promise<void> {
    const { kind, reader, records } = this.#options;
    const { tags: known, askedAt } = this.#known;
    const names = new Set<string>(known.map(({ name }) => name));
    const asked = kind === 'full' ? [...listed] : [...listed].filter((name) => !names.has(name));
    const resolved = await resolveTags(reader, asked, this.#signal);
    const present = new Set([...listed].filter((name) => !resolved.absent.has(name)));
    const judgement = judgeListing({ kind, known, listed: present, askedAt });
    const tagged = this.#changed(resolved);
    await this.#show(kind === 'full' ? resolved.digests : tagged);
    await records.settleTags({ tagged, gone: judgement.gone, missing: judgement.missing, back: judgement.back });
    this.#countTags(tagged, judgement, names);
    const untagged = judgement.verdict === 'suspect' ? [] : await this.#askForUntagged();
    const unlisted = await this.#showReferrers([...userTagged(resolved), ...untagged]);
    const unknown = new Map<string, Problem>([...resolved.unknown, ...unlisted]);
    if (judgement.verdict === 'suspect') await this.#suspect(lostTooMuch, true);
    else await this.#end(unknown);
  }

  /** Of the tags that were read, those that name something else than was known. */
  #changed({ digests }: ResolvedTags): ReadonlyMap<Tag, Digest> {
    const before = new Map(this.#known.tags.map(({ name, digest }) => [name, digest]));
    return new Map([...digests].filter(([name, digest]) => before.get(name) !== digest));
  }

  async #show(tagged: ReadonlyMap<Tag, Digest>): Promise<void> {
    const { kind, records } = this.#options;
    const wanted = new Map<Digest, Wanted>();
    for (const [tag, digest] of tagged) {
      // A signature's config says nothing of use.
      const withConfig = !isReservedTag(tag) || wanted.get(digest)?.withConfig === true;
      wanted.set(digest, { digest, isSeen: true, withConfig });
    }
    for (const which of kind === 'full' ? (['untried', 'tried', 'placed'] as const) : (['untried'] as const)) {
      for (const digest of await records.unreadManifests({ which, limit: maxUnread })) {
        if (!wanted.has(digest)) wanted.set(digest, { digest, isSeen: false, withConfig: which !== 'tried' });
      }
    }
    await this.#walk.show([...wanted.values()]);
  }

  /**
   * What refers to what is tagged, to what no tag leads to, to what was new here in this look, and to what was found so itself,
   * where the registry may say so; gives those whose list could not be read.
   */
  async #showReferrers(subjects: readonly Digest[]): Promise<ReadonlyMap<string, Problem>> {
    const { kind, mayListReferrers } = this.#options;
    const unlisted = new Map<string, Problem>();
    if (kind !== 'full' || !mayListReferrers) return unlisted;
    const asked = new Set<Digest>();
    for (let next = new Set([...subjects, ...this.#walk.shown]); next.size > 0;) {
      const found: Digest[] = [];
      await atOnce(next, referrersAtOnce, async (subject) => {
        asked.add(subject);
        const { referrers, problem } = await this.#listReferrers(subject);
        if (problem !== undefined) unlisted.set(subject, problem);
        await this.#walk.show(referrers);
        for (const { digest } of referrers) found.push(digest);
      });
      next = new Set([...found, ...this.#walk.shown].filter((digest) => !asked.has(digest)));
    }
    return unlisted;
  }

  /** What was listed before its list broke off is there. */
  async #listReferrers(subject: Digest): Promise<{ readonly referrers: readonly Wanted[]; readonly problem?: Problem }> {
    const { reader, count } = this.#options;
    const referrers: Wanted[] = [];
    try {
      for await (const { digest } of reader.listOwnReferrers(subject, this.#signal)) {
        referrers.push({ digest, isSeen: false, withConfig: false });
      }
      return { referrers };
    } catch (error) {
      if (!(error instanceof ContentError) || isOfTheRegistry(error)) throw error;
      return { referrers, problem: problemOf(error) };
    } finally {
      count('referrers', referrers.length);
    }
  }

  async #end(unknown: ReadonlyMap<string, Problem>): Promise<void> {
    const { records, count } = this.#options;
    if (unknown.size > 0) count('failed', 1);
    await records.settle(
      unknown.size === 0 ? complete : { state: 'unreadable', problem: unreadable(unknown), isListed: true, isComplete: false },
    );
  }

  /** What no tag leads to any more is there until the registry says that it is not; gives those that are. */
  async #askForUntagged(): Promise<readonly Digest[]> {
    const { kind, records, reader, count } = this.#options;
    if (kind !== 'full') return [];
    const asked = await records.untagged(maxUntaggedAsked);
    const gone = new Set<Digest>();
    await atOnce(asked, referrersAtOnce, async (digest) => {
      if (!(await reader.hasManifest(digest, this.#signal))) gone.add(digest);
    });
    if (gone.size > 0) await records.removePlaces([...gone]);
    count('manifestsGone', gone.size);
    return asked.filter((digest) => !gone.has(digest));
  }

  #countTags(tagged: ReadonlyMap<Tag, Digest>, { gone }: ListingJudgement, known: ReadonlySet<string>): void {
    const { count } = this.#options;
    const moved = [...tagged.keys()].filter((name) => known.has(name)).length;
    count('tagsMoved', moved);
    count('tagsAdded', tagged.size - moved);
    count('tagsGone', gone.length);
  }
}

/** Digests that stand under a user's tag. */
function userTagged({ digests }: ResolvedTags): readonly Digest[] {
  return [...digests].filter(([tag]) => !isReservedTag(tag)).map(([, digest]) => digest);
}

const noChanges: TagChanges = { tagged: new Map(), gone: [], missing: [], back: [] };
const complete: LookEnd = { state: 'known', problem: undefined, isListed: true, isComplete: true };

const looksGone: Problem = {
  code: 'looks-gone',
  message: 'the registry knows no such repository, or hides it from us: a full crawl an hour later decides',
};
const lostTooMuch: Problem = {
  code: 'lost-too-much',
  message: 'more than half of its tags are not listed any more: a full crawl an hour later decides',
};

function unreadable(unknown: ReadonlyMap<string, Problem>): Problem {
  const [[name, { message }] = ['', { message: '' }]] = unknown;
  return { code: 'tags-unreadable', message: `${unknown.size} of its tags cannot be read, ${name} for one: ${message}` };
}
