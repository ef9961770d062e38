import type { AgeOf } from '@waybill/topology';
import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { KnownTime, RepositoryKnowledge } from '../snapshot.js';
import type { Candidate } from './candidates.js';

/**
 * A time is known within bounds: the last pull of an artifact, say, lies between the last that was noted
 * and the moment from which every pull would have been noted.
 * What goes by age asks for the latest possible time, and what counts asks for both:
 * an artifact loses its place only to those that are certainly more recent.
 * Of an unknown time the bounds are infinite, so it never meets what removes and always meets what keeps.
 */
export interface Bounds {
  readonly earliest: number;
  readonly latest: number;
}

/** Docker was first shown then: no image is older, and builds that want to be reproducible say 1970 or 1980. */
const firstImage = Date.UTC(2013, 2, 1);
const unknown: Bounds = { earliest: Number.NEGATIVE_INFINITY, latest: Number.POSITIVE_INFINITY };

/** Bounds of the times of one repository's candidates, at one moment. */
export class Times {
  readonly #now: number;
  readonly #pullsKnownSince: number | undefined;
  /** The latest known tagging, by manifest; a retag is a push. */
  readonly #tagged: Float64Array;
  /** The latest possible one: a tag was written when it was seen, at the latest. */
  readonly #taggedAtMost: Float64Array;

  constructor(graph: ArtifactGraph, knowledge: RepositoryKnowledge, now: number) {
    this.#now = now;
    this.#pullsKnownSince = this.sane(knowledge.pullsKnownSince);
    this.#tagged = new Float64Array(graph.manifests.length).fill(Number.NEGATIVE_INFINITY);
    this.#taggedAtMost = this.#tagged.slice();
    for (const [at, { taggedAt, seenSince }] of graph.tags.entries()) {
      const number = graph.tagged[at] ?? -1;
      if (number < 0 || graph.isReserved[at] === 1) continue;
      const known = this.sane(taggedAt);
      raise(this.#tagged, number, known ?? Number.NEGATIVE_INFINITY);
      raise(this.#taggedAtMost, number, known ?? this.sane(seenSince) ?? Number.POSITIVE_INFINITY);
    }
  }

  /** The time, unless it is missing or absurd: before there were images, or yet to come. */
  sane(time: KnownTime | 'never' | 'none' | 'present'): number | undefined {
    return typeof time === 'number' && time >= firstImage && time <= this.#now ? time : undefined;
  }

  bounds(candidate: Candidate, of: AgeOf | 'promoted'): Bounds {
    switch (of) {
      case 'pushed':
        return this.#pushed(candidate);
      case 'pulled':
        return this.#pulled(candidate);
      case 'created':
        return exactly(this.sane(candidate.manifest.createdAt));
      case 'tagged':
        return exactly(candidate.tag === undefined ? undefined : this.sane(candidate.tag.taggedAt));
      case 'lastActive':
        return laterOf(this.#pushed(candidate), this.#pulled(candidate));
      case 'promoted':
        return this.#promoted(candidate);
    }
  }

  /**
   * The same for what goes by age: somebody who pins a digest pulls what no tag names, so a pull counts there
   * whatever the rule asks for.
   */
  ageBounds(candidate: Candidate, of: AgeOf): Bounds {
    const bounds = this.bounds(candidate, of);
    return candidate.tag === undefined ? laterOf(bounds, this.#pulled(candidate)) : bounds;
  }

  /** Since when nothing has named, pushed or pulled it. */
  idleUntagged(candidate: Candidate): Bounds {
    const { untaggedAt } = candidate.manifest;
    const arrival = this.arrival(candidate);
    const left = untaggedAt === 'never' ? arrival : laterOf(arrival, exactly(this.sane(untaggedAt)));
    return laterOf(left, this.#pulled(candidate));
  }

  /** When it was pushed; of that nobody knows, when it was first seen, which is no earlier. */
  arrival({ manifest, number }: Candidate): Bounds {
    const pushed = this.sane(manifest.pushedAt);
    const firstSeen = this.sane(manifest.firstSeenAt) ?? Number.POSITIVE_INFINITY;
    const arrived = pushed === undefined ? { earliest: Number.NEGATIVE_INFINITY, latest: firstSeen } : exactly(pushed);
    return laterOf(arrived, {
      earliest: this.#tagged[number] ?? Number.NEGATIVE_INFINITY,
      latest: this.#taggedAtMost[number] ?? Number.NEGATIVE_INFINITY,
    });
  }

  #pushed(candidate: Candidate): Bounds {
    return this.sane(candidate.manifest.pushedAt) === undefined ? unknown : this.arrival(candidate);
  }

  /** What was never pulled counts as pulled when it arrived. */
  #pulled(candidate: Candidate): Bounds {
    const since = this.#pullsKnownSince;
    const { lastPulledAt } = candidate.manifest;
    const pulled = lastPulledAt === 'never' ? this.arrival(candidate) : exactly(this.sane(lastPulledAt));
    if (since === undefined) return { earliest: pulled.earliest, latest: Number.POSITIVE_INFINITY };
    return { earliest: pulled.earliest, latest: Math.max(pulled.latest, since) };
  }

  /** Infinitely long ago when it never was. */
  #promoted({ manifest }: Candidate): Bounds {
    let latest = Number.NEGATIVE_INFINITY;
    for (const { at } of manifest.promotedTo) latest = Math.max(latest, this.sane(at) ?? Number.POSITIVE_INFINITY);
    return latest === Number.POSITIVE_INFINITY ? unknown : { earliest: latest, latest };
  }
}

function exactly(time: number | undefined): Bounds {
  return time === undefined ? unknown : { earliest: time, latest: time };
}

function laterOf(one: Bounds, other: Bounds): Bounds {
  return { earliest: Math.max(one.earliest, other.earliest), latest: Math.max(one.latest, other.latest) };
}

function raise(times: Float64Array, number: number, time: number): void {
  times[number] = Math.max(times[number] ?? time, time);
}
