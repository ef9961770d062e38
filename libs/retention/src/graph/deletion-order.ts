import type { ArtifactGraph, Edges } from './artifact-graph.js';
import { cyclesOf, type Walk } from './cycles.js';

/**
 * The removed manifests, each after everything that is removed with it and lists it, and after what it refers to:
 * an index before its children, a signature right after what it signs.
 * Ties fall by digest. Within a cycle, as tags of signatures make them, parents come before their children, and what refers to
 * each other in any order; what leads into the cycle or out of it is in order like everything else.
 */
export function deletionOrder(graph: ArtifactGraph, isRemoved: (number: number) => boolean): readonly number[] {
  const { children, referrers, parents, subjects } = graph;
  const size = graph.manifests.length;
  const isAmong = Uint8Array.from({ length: size }, (_, number) => Number(isRemoved(number)));
  const removed: number[] = [];
  for (let number = 0; number < size; number += 1) if (isAmong[number] === 1) removed.push(number);
  const along = (...kinds: readonly Edges[]): Walk => {
    return (number, visit) => {
      for (const kind of kinds) for (const other of kind.of(number)) if (isAmong[other] === 1) visit(other);
    };
  };

  const followers = along(children, referrers);
  const ordered = sorted(removed, followers, size);
  if (ordered.length === removed.length) return ordered;
  const cycles = cyclesOf(removed, { forth: followers, back: along(parents, subjects) }, size);
  const [listed, referring] = [along(children), along(referrers)];
  const untangled: Walk = (number, visit) => {
    // Digests forbid that manifests list each other: without references no cycle is left.
    listed(number, visit);
    referring(number, (referrer) => {
      if (cycles[referrer] !== cycles[number]) visit(referrer);
    });
  };
  return sorted(removed, untangled, size);
}

/** Depth first, so that what follows stands by what it follows; without what hangs in or under a cycle. */
function sorted(numbers: readonly number[], followers: Walk, size: number): readonly number[] {
  const waitsFor = new Int32Array(size);
  for (const number of numbers) followers(number, (follower) => (waitsFor[follower] = (waitsFor[follower] ?? 0) + 1));
  const ready = numbers.filter((number) => waitsFor[number] === 0).reverse();
  const order: number[] = [];
  for (let number = ready.pop(); number !== undefined; number = ready.pop()) {
    order.push(number);
    const freed: number[] = [];
    followers(number, (follower) => {
      const left = (waitsFor[follower] ?? 0) - 1;
      waitsFor[follower] = left;
      if (left === 0) freed.push(follower);
    });
    for (const follower of freed.sort((one, other) => other - one)) ready.push(follower);
  }
  return order;
}
