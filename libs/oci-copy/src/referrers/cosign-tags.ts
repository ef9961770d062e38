import { algorithmOf, type ContentReader, type Digest, hexOf, parseTag, type Tag, type TagStore } from '@waybill/oci-model';
import type { CopyError } from '../copy-error.js';
import { request, type RequestContext } from '../request.js';

/** What cosign keeps beside a manifest: signatures, attestations, SBOMs. */
const suffixes = ['sig', 'att', 'sbom'] as const;
const cosignTag = /^sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/;

/** Manifests up to which three questions each cost less than a list of all tags. */
const mostAskedFor = 8;

/** Tags that are listed in search of cosign's; where there are more, single tags are asked for instead. */
const maxListed = 100_000;

export type TagReader = Pick<TagStore, 'resolveTag' | 'listTags'>;

/** A source may be something that has no tags. */
export function isTagReader(source: ContentReader | (ContentReader & TagReader)): source is ContentReader & TagReader {
  return 'resolveTag' in source && typeof source.resolveTag === 'function';
}

export function isCosignTag(tag: string): boolean {
  return cosignTag.test(tag);
}

/** The tags that cosign would attach something to a manifest by; a sha512 digest does not fit into a tag. */
function cosignTagsOf(subject: Digest): Tag[] {
  return algorithmOf(subject) === 'sha256' ? suffixes.map((suffix) => parseTag(`sha256-${hexOf(subject)}.${suffix}`)) : [];
}

/** Finds what cosign has attached to manifests of one store, by their tags alone. */
export class CosignTags {
  #asked = 0;
  #listing: Promise<ReadonlySet<Tag> | undefined> | undefined;

  /** `known` are all of cosign's tags at the store, when somebody has listed them already. */
  constructor(
    private readonly store: TagReader,
    private readonly context: RequestContext,
    private known?: ReadonlySet<Tag>,
    private readonly most = maxListed,
  ) {}

  /** Says that `count` manifests will be asked for; when they are many, the tags are listed once instead. */
  async prepare(count: number): Promise<void> {
    this.#asked += count;
    if (this.known !== undefined || this.#asked <= mostAskedFor) return;
    // A store that lists nothing, or too much, may still answer for single tags; when it does not, that is told then.
    this.#listing ??= this.#list().catch(() => undefined);
    this.known = await this.#listing;
  }

  /** The tags that attach something to `subject`, with what they name. Rejects with CopyError. */
  async of(subject: Digest, signal: AbortSignal): Promise<{ readonly tag: Tag; readonly digest: Digest }[]> {
    const likely = cosignTagsOf(subject).filter((tag) => this.known?.has(tag) !== false);
    const named = await Promise.all(likely.map(async (tag) => ({ tag, digest: await this.#resolve(tag, subject, signal) })));
    return named.flatMap(({ tag, digest }) => (digest === undefined ? [] : [{ tag, digest }]));
  }

  /** Undefined when there are too many tags. */
  async #list(): Promise<ReadonlySet<Tag> | undefined> {
    return await request({ side: 'source', operation: 'list tags' }, this.context, async (signal) => {
      const found = new Set<Tag>();
      let listed = 0;
      for await (const tag of this.store.listTags(signal)) {
        listed += 1;
        if (listed > this.most) return undefined;
        if (isCosignTag(tag)) found.add(tag);
      }
      return found;
    });
  }

  async #resolve(tag: Tag, digest: Digest, signal: AbortSignal): Promise<Digest | undefined> {
    const place = { side: 'source', operation: 'resolve tag', digest } as const;
    try {
      return await request(place, { ...this.context, signal }, () => this.store.resolveTag(tag, signal));
    } catch (error) {
      // Registries need not tell a repository without tags from one that does not exist.
      if ((error as CopyError).code === 'source-missing') return undefined;
      throw error;
    }
  }
}
