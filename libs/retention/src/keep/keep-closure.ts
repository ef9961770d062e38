import type { ArtifactGraph } from '../graph/artifact-graph.js';

/**
 * Everything that is kept because something else is, from what is kept for reasons of its own:
 * what an index lists, what refers to it, what it refers to, and what its tags may be rolled back to.
 * Each edge is walked once, and cycles end where they began.
 */
export class KeepClosure {
  readonly #graph: ArtifactGraph;
  readonly #rollbacks: (number: number) => readonly Rollback[];
  readonly #kept: Uint8Array;
  /** Whose subject it is, where nothing else kept it. */
  readonly subjectOf = new Map<number, number>();
  readonly rollbackOf = new Map<number, string[]>();

  /** `rollbacks` gives the earlier digests of the tags that stay on a kept manifest. */
  constructor(graph: ArtifactGraph, rollbacks: (number: number) => readonly Rollback[]) {
    this.#graph = graph;
    this.#rollbacks = rollbacks;
    this.#kept = new Uint8Array(graph.manifests.length);
  }

  isKept(number: number): boolean {
    return this.#kept[number] === 1;
  }

  keep(seed: number): void {
    if (this.isKept(seed)) return;
    this.#kept[seed] = 1;
    const pending = [seed];
    for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
      this.#follow(number, pending);
    }
  }

  #follow(number: number, pending: number[]): void {
    const reach = (other: number): boolean => {
      if (this.#kept[other] === 1) return false;
      this.#kept[other] = 1;
      pending.push(other);
      return true;
    };
    for (const child of this.#graph.children.of(number)) reach(child);
    for (const referrer of this.#graph.referrers.of(number)) reach(referrer);
    for (const subject of this.#graph.subjects.of(number)) {
      if (reach(subject)) this.subjectOf.set(subject, number);
    }
    for (const { earlier, tag } of this.#rollbacks(number)) {
      const tags = this.rollbackOf.get(earlier);
      if (tags === undefined) this.rollbackOf.set(earlier, [tag]);
      else tags.push(tag);
      reach(earlier);
    }
  }
}

/** A manifest that a tag named before. */
export interface Rollback {
  readonly earlier: number;
  readonly tag: string;
}
