import type { Digest, Tag } from '@waybill/oci-model';
import { type ArtifactGraph, buildGraph } from '../graph/artifact-graph.js';
import { type Reason, type ReasonCode, reasonMeaning } from '../reasons.js';
import type { ArtifactDecision } from '../repository-plan.js';
import type { Condemned, FreshKnowledge, Mark, SparedReason } from './ports.js';

/** Something that was condemned and stays. */
export interface Spared {
  readonly digest: Digest;
  readonly reason: SparedReason;
}

/** What the stored plan says of one repository. */
export interface StoredPlan {
  /** In its order. */
  readonly condemned: readonly Condemned[];
  readonly marks: readonly Mark[];
}

/**
 * What may be deleted: marked, condemned by the stored plan and by today's, which archives it nowhere else; named by no tag that the
 * stored plan left, and needed by nothing that stays. Whatever is taken out takes with it what it needs and what belongs to it.
 */
export class Confirmed {
  readonly #graph: ArtifactGraph;
  /** Numbers in the graph of what is still to be deleted. */
  readonly #left = new Set<number>();

  private constructor(graph: ArtifactGraph) {
    this.#graph = graph;
  }

  /** The confirmed part of the plan, and why the rest of what is marked stays. */
  static of(stored: StoredPlan, fresh: FreshKnowledge): { readonly confirmed: Confirmed; readonly spared: readonly Spared[] } {
    const confirmed = new Confirmed(buildGraph(fresh.snapshot));
    return { confirmed, spared: confirmed.#choose(stored, fresh) };
  }

  has(digest: Digest): boolean {
    const number = this.#graph.numbers.get(digest);
    return number !== undefined && this.#left.has(number);
  }

  /** It is not there any more. */
  deleted(digest: Digest): void {
    const number = this.#graph.numbers.get(digest);
    if (number !== undefined) this.#left.delete(number);
  }

  /** Takes it out for a reason of its own; gives it and all that stays for its sake. */
  withdraw(digest: Digest, reason: SparedReason): readonly Spared[] {
    const number = this.#graph.numbers.get(digest);
    if (number === undefined || !this.#left.delete(number)) return [];
    return [{ digest, reason }, ...this.#follow([number])];
  }

  #choose({ condemned, marks }: StoredPlan, fresh: FreshKnowledge): readonly Spared[] {
    const spared: Spared[] = [];
    const whyNot = whyKept({ condemned, marks }, fresh, this.#graph);
    for (const { digest } of marks.filter(isOpen)) {
      const number = this.#graph.numbers.get(digest);
      const reason = number === undefined ? absent : whyNot(digest, number);
      if (reason !== undefined) spared.push({ digest, reason });
      else if (number !== undefined) this.#left.add(number);
    }
    const staying = this.#graph.manifests.flatMap((_, number) => (this.#left.has(number) ? [] : [number]));
    return [...spared, ...this.#follow(staying)];
  }

  /** Kept is closed over what an index lists, what refers to it and what it refers to, as in every plan. */
  #follow(staying: number[]): readonly Spared[] {
    const spared: Spared[] = [];
    const { children, referrers, subjects } = this.#graph;
    for (let number = staying.pop(); number !== undefined; number = staying.pop()) {
      const name = this.#digest(number);
      for (const [code, edges] of [
        ['child-of', children],
        ['referrer-of', referrers],
        ['subject-of', subjects],
      ] as const) {
        for (const other of edges.of(number)) {
          if (!this.#left.delete(other)) continue;
          spared.push({ digest: this.#digest(other), reason: { code, message: `${reasonMeaning(code)}: ${name}` } });
          staying.push(other);
        }
      }
    }
    return spared;
  }

  /** Digests of a snapshot were read as such. */
  #digest(number: number): Digest {
    return (this.#graph.manifests[number]?.digest ?? '') as Digest;
  }
}

export function isOpen({ state }: Mark): boolean {
  return state === 'marked' || state === 'deleting';
}

const absent: SparedReason = { code: 'absent', message: 'it is not in the repository any more' };

/** Why a marked manifest stays for reasons of its own; undefined where nothing speaks for it. */
function whyKept(
  { condemned, marks }: StoredPlan,
  { plan }: FreshKnowledge,
  graph: ArtifactGraph,
): (digest: Digest, number: number) => SparedReason | undefined {
  const decided = new Map(plan.manifests.map((decision) => [decision.digest, decision]));
  const tags = condemnedTags(condemned);
  const names = tagNames(graph);
  const archives = new Map(condemned.flatMap(({ digest, tag, archiveTo }) => (tag === '' ? [[digest, archiveTo] as const] : [])));
  const saysNothing = marks.some(({ state }) => state === 'deleted') ? leftBehind(condemned) : new Map<Digest, ReadonlySet<ReasonCode>>();
  return (digest, number) => {
    const left = names.get(number)?.find((tag) => tags.get(digest)?.has(tag as Tag) !== true);
    if (left !== undefined) return { code: 'tag-kept', message: `the tag ${left} names it, which the plan left alone` };
    const decision = decided.get(digest);
    if (decision === undefined) return undefined;
    if (decision.action !== 'keep') return whyElsewhere(decision, archives.get(digest));
    const [reason] = decision.reasons.filter(({ code }) => saysNothing.get(digest)?.has(code) !== true);
    return reason === undefined ? undefined : said(reason);
  };
}

/** It is archived where the stored plan said, and recorded so: what is to be archived elsewhere by now is left to a plan that says so. */
function whyElsewhere({ archiveTo = [] }: ArtifactDecision, stored: readonly string[] = []): SparedReason | undefined {
  const more = archiveTo.filter((registry) => !stored.includes(registry));
  if (more.length === 0) return undefined;
  return { code: 'plan-changed', message: `today it would be archived first: ${more.join(', ')}` };
}

/** What keeps something for another's sake is found by following; and that a rule would have removed it keeps nothing. */
const links: readonly ReasonCode[] = ['child-of', 'referrer-of', 'subject-of', 'overruled'];
/**
 * What says nothing of a manifest whose index or subject this run has deleted before it was interrupted: that it stands alone now.
 * What was condemned for the sake of others alone is no candidate of any rule, either.
 */
const ofOrphans: ReadonlySet<ReasonCode> = new Set([...links, 'subject-absent']);
const ofFollowers: ReadonlySet<ReasonCode> = new Set([
  ...ofOrphans,
  'no-rule',
  'criteria-unmet',
  'kept-by-rule',
  'time-unknown',
  'metadata-unknown',
]);

const follows: ReadonlySet<string> = new Set<ReasonCode>(['child-of-removed', 'referrer-of-removed']);

/** By manifest that was condemned with others: the reasons of today's plan that come of their being gone. */
function leftBehind(condemned: readonly Condemned[]): ReadonlyMap<Digest, ReadonlySet<ReasonCode>> {
  const left = new Map<Digest, ReadonlySet<ReasonCode>>();
  for (const { digest, tag, reasons } of condemned) {
    if (tag === '' && reasons.some((code) => follows.has(code))) {
      left.set(digest, reasons.every((code) => follows.has(code)) ? ofFollowers : ofOrphans);
    }
  }
  return left;
}

/** Tags that go with their digest. */
export function condemnedTags(condemned: readonly Condemned[]): ReadonlyMap<Digest, ReadonlySet<Tag>> {
  const tags = new Map<Digest, Set<Tag>>();
  for (const { digest, tag, verdict } of condemned) {
    if (tag === '' || verdict === 'untag') continue;
    const known = tags.get(digest);
    if (known === undefined) tags.set(digest, new Set([tag]));
    else known.add(tag);
  }
  return tags;
}

/** Of each manifest, by number; reserved ones too. */
function tagNames(graph: ArtifactGraph): ReadonlyMap<number, readonly string[]> {
  const names = new Map<number, string[]>();
  for (const [at, { name }] of graph.tags.entries()) {
    const number = graph.tagged[at] ?? -1;
    const list = names.get(number);
    if (list === undefined) names.set(number, [name]);
    else list.push(name);
  }
  return names;
}

function said({ code, policy, rule, id, tag }: Reason): SparedReason {
  const where = [policy, rule, id, tag].filter((part) => part !== undefined).join(', ');
  return { code, message: where === '' ? reasonMeaning(code) : `${reasonMeaning(code)} (${where})` };
}
