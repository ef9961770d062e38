import { type Digest, isReferrerLister, type ReferrerLister } from '@waybill/oci-model';
import { allOrStop } from '../all-or-stop.js';
import { CopyError, copyErrorFrom } from '../copy-error.js';
import type { Graph, GraphTally } from '../graph.js';
import type { ManifestSource } from '../manifest-source.js';
import { request } from '../request.js';
import type { CopySession } from '../session.js';
import { walkGraph } from '../walk-graph.js';
import {
  type Candidate,
  foundAgain,
  type FoundReferrers,
  mergeCandidates,
  referredBy,
  type Referrer,
  subjectsFirst,
  typesOf,
} from './referrer.js';
import { Selection } from './selection.js';

export interface ReferrerSearchContext {
  readonly session: CopySession;
  readonly manifests: ManifestSource;
  /** Counts what is found together with the graph that it refers to. */
  readonly tally: GraphTally;
}

/**
 * Finds what refers to the manifests of `graph`, what refers to that, and so on, each manifest once.
 * What cannot be read is noted and does not stop the rest.
 * Rejects with CopyError: `graph-too-large`, `aborted`, `source-unsupported` when the source cannot list referrers,
 * and, when something is required, with what kept it from being listed or `source-missing` when it is not there.
 */
export async function searchReferrers(graph: Graph, context: ReferrerSearchContext): Promise<FoundReferrers> {
  const { source, settings } = context.session;
  const selection = new Selection(settings.referrers);
  if (selection.isEmpty) return { referrers: [], unlisted: [] };
  if (!isReferrerLister(source)) throw noLister(graph.root);
  const found = await new ReferrerSearch(context, source, selection).run(graph);
  const [unlisted] = found.unlisted;
  if (selection.demands && unlisted !== undefined) throw unlisted.error;
  const missing = selection.missingFrom(found.referrers);
  if (missing.length > 0) throw requiredMissing(graph.root, missing);
  return found;
}

class ReferrerSearch {
  readonly #found = new Map<Digest, Referrer>();
  readonly #unlisted = new Map<Digest, CopyError>();
  readonly #asked = new Set<Digest>();

  constructor(
    private readonly context: ReferrerSearchContext,
    private readonly lister: ReferrerLister,
    private readonly selection: Selection,
  ) {}

  /** Wave by wave: a digest is asked for once, so that tags which name each other come to an end. */
  async run(graph: Graph): Promise<FoundReferrers> {
    const { signal } = this.context.session.settings;
    let subjects = graph.levels.flat();
    while (subjects.length > 0) {
      for (const subject of subjects) this.#asked.add(subject);
      await this.context.session.cosignTags?.prepare(subjects.length);
      const candidates = await allOrStop(subjects, signal, (subject, stop) => this.#candidatesOf(subject, stop));
      const taken = await allOrStop(mergeCandidates(candidates.flat()), signal, (candidate, stop) => this.#take(candidate, stop));
      subjects = [...new Set(taken.flat())].filter((digest) => !this.#asked.has(digest));
    }
    const unlisted = [...this.#unlisted].map(([subject, error]) => ({ subject, error }));
    return { referrers: subjectsFirst([...this.#found.values()]), unlisted };
  }

  async #candidatesOf(subject: Digest, signal: AbortSignal): Promise<Candidate[]> {
    const [listed, tagged] = await Promise.all([
      this.#orUnlisted(subject, () => this.#listed(subject, signal)),
      this.#orUnlisted(subject, () => this.#tagged(subject, signal)),
    ]);
    return [...listed, ...tagged];
  }

  async #orUnlisted(subject: Digest, look: () => Promise<Candidate[]>): Promise<Candidate[]> {
    try {
      return await look();
    } catch (error) {
      if (endsSearch(error)) throw error;
      this.#unlisted.set(subject, error as CopyError);
      return [];
    }
  }

  async #listed(subject: Digest, signal: AbortSignal): Promise<Candidate[]> {
    const { session, tally } = this.context;
    const place = { side: 'source', operation: 'list referrers', digest: subject } as const;
    let counted = 0;
    return await request(place, { ...session.sourceContext, signal }, async () => {
      const found: Candidate[] = [];
      tally.descriptors -= counted; // a list that is read again is not counted twice
      counted = 0;
      for await (const { digest, artifactType } of this.lister.listReferrers(subject, signal)) {
        tally.addDescriptors(1, place.operation);
        counted += 1;
        if (!this.selection.mayInclude(digest, artifactType)) continue;
        found.push({ digest, listedBy: [subject], attachedTo: [], listedType: artifactType });
      }
      return found;
    });
  }

  async #tagged(subject: Digest, signal: AbortSignal): Promise<Candidate[]> {
    const tags = await this.context.session.cosignTags?.of(subject, signal);
    return (tags ?? []).map(({ tag, digest }) => ({ digest, listedBy: [], attachedTo: [{ tag, subject }] }));
  }

  /** Reads a candidate whole, and gives the manifests that may have referrers of their own. */
  async #take(candidate: Candidate, signal: AbortSignal): Promise<readonly Digest[]> {
    const known = this.#found.get(candidate.digest);
    if (known !== undefined) {
      this.#found.set(known.referrer, foundAgain(known, candidate));
      return [];
    }
    try {
      return await this.#read(candidate, signal);
    } catch (thrown) {
      const error = copyErrorFrom(thrown, { side: 'source', operation: 'read referrer', digest: candidate.digest });
      if (endsSearch(error)) throw error;
      const types = candidate.listedType === undefined ? [] : [candidate.listedType];
      this.#keep(candidate, { ...unreadOf(candidate), types, error });
      return [];
    }
  }

  async #read(candidate: Candidate, signal: AbortSignal): Promise<readonly Digest[]> {
    const { manifests, session, tally } = this.context;
    const manifest = await manifests.read(candidate.digest, signal);
    const referred = referredBy(manifest, candidate);
    const types = typesOf(manifest, candidate);
    if (!this.selection.includes(candidate.digest, types)) return [];
    const load = (digest: Digest, stop: AbortSignal) => manifests.read(digest, stop);
    const graph = await walkGraph(manifest, { load, side: { side: 'source' }, settings: session.settings, tally });
    this.#keep(candidate, { ...referred, types, graph });
    return graph.levels.flat();
  }

  #keep(candidate: Candidate, facts: Pick<Referrer, 'subject' | 'isListed' | 'named' | 'types' | 'graph' | 'error'>): void {
    const { session, tally } = this.context;
    const { maxReferrers } = session.settings;
    if (this.#found.size >= maxReferrers) throw tally.tooLarge(`${maxReferrers} referrers`, 'find referrers');
    const { digest } = candidate;
    const [artifactType] = facts.types;
    const required = this.selection.requires(digest, facts.types);
    const type = artifactType === undefined ? {} : { artifactType };
    const tags = candidate.attachedTo.map(({ tag }) => tag);
    this.#found.set(digest, { referrer: digest, tags, required, ...type, ...facts });
  }
}

/** What is said of a candidate that could not be read: where it was found. */
function unreadOf({ listedBy, attachedTo, digest }: Candidate): Pick<Referrer, 'subject' | 'isListed'> {
  const [subject = digest] = [...listedBy, ...attachedTo.map((attached) => attached.subject)];
  return { subject, isListed: false };
}

/** What is about the whole search, and not about one manifest. */
function endsSearch(error: unknown): boolean {
  return error instanceof CopyError && (error.code === 'graph-too-large' || error.code === 'aborted');
}

function noLister(root: Digest): CopyError {
  return new CopyError(`source: it cannot list what refers to ${root}, and referrers were asked for`, {
    code: 'source-unsupported',
    side: 'source',
    operation: 'list referrers',
    digest: root,
  });
}

function requiredMissing(root: Digest, missing: readonly string[]): CopyError {
  return new CopyError(`source: nothing refers to ${root} that is required: ${missing.slice(0, 3).join(', ')}`, {
    code: 'source-missing',
    side: 'source',
    operation: 'find referrers',
    digest: root,
    details: { missing: missing.slice(0, 100) },
  });
}
