import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { Reason, ReasonCode } from '../reasons.js';
import { SparseLists } from '../sparse-lists.js';
import type { KeepClosure } from './keep-closure.js';

const codes = ['child-of', 'child-of-removed', 'referrer-of', 'referrer-of-removed'] as const satisfies readonly ReasonCode[];
type LinkCode = (typeof codes)[number];

const nothing: readonly Reason[] = [];

/**
 * Reasons that lead to another manifest: kept with kept, removed with removed.
 * Most manifests are what an index lists or what refers to one thing, and have no other reason: those of one index share it.
 */
export class LinkReasons {
  readonly #graph: ArtifactGraph;
  readonly #closure: KeepClosure;
  /** By code, then by what they lead to. */
  readonly #alone: ReadonlyMap<LinkCode, SparseLists<Reason>>;

  constructor(graph: ArtifactGraph, closure: KeepClosure) {
    this.#graph = graph;
    this.#closure = closure;
    this.#alone = new Map(codes.map((code) => [code, new SparseLists(graph.manifests.length)]));
  }

  /** Why it stays for the sake of what lists it and of what it refers to. */
  ofKept(number: number): readonly Reason[] {
    const { parents, subjects } = this.#graph;
    return both(this.#links('child-of', parents.of(number), true), this.#links('referrer-of', subjects.of(number), true));
  }

  /** The same of what goes with them. */
  ofRemoved(number: number): readonly Reason[] {
    const { parents, subjects } = this.#graph;
    return both(this.#links('child-of-removed', parents.of(number), false), this.#links('referrer-of-removed', subjects.of(number), false));
  }

  /** The first of them by digest, and how many more there are. */
  #links(code: LinkCode, others: readonly number[], areKept: boolean): readonly Reason[] {
    const [only] = others;
    if (only === undefined) return nothing;
    if (others.length === 1) return this.#closure.isKept(only) === areKept ? this.#to(code, only) : nothing;
    const alike = [...new Set(others)].filter((other) => this.#closure.isKept(other) === areKept);
    if (alike.length === 0) return nothing;
    const [reason] = this.#to(
      code,
      alike.reduce((first, other) => Math.min(first, other)),
    );
    return reason === undefined ? nothing : [alike.length === 1 ? reason : { ...reason, more: alike.length - 1 }];
  }

  #to(code: LinkCode, other: number): readonly Reason[] {
    const made = this.#alone.get(code);
    const digest = this.#graph.manifests[other]?.digest;
    if (made === undefined || digest === undefined) return nothing;
    if (!made.has(other)) made.add(other, { code, digest });
    return made.of(other);
  }
}

function both(one: readonly Reason[], other: readonly Reason[]): readonly Reason[] {
  if (other.length === 0) return one;
  return one.length === 0 ? other : [...one, ...other];
}
