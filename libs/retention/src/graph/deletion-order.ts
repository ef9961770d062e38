import type { ArtifactGraph, Edges } from './artifact-graph.js';

/**
 * The removed manifests, each after everything that is removed with it and lists it, and after what it refers to:
 * an index before its children, a signature right after what it signs.
 * Ties fall by digest. Where tags of signatures make a cycle, parents still come before their children.
 */
export function deletionOrder(graph: ArtifactGraph, isRemoved: (number: number) => boolean): readonly number[] {
  const removed = graph.manifests.flatMap((_, number) => (isRemoved(number) ? [number] : []));
  const ordered = sorted(removed, [graph.children, graph.referrers], graph.manifests.length);
  if (ordered.length === removed.length) return ordered;
  const done = new Set(ordered);
  const cyclic = removed.filter((number) => !done.has(number));
  const byParents = sorted(cyclic, [graph.children], graph.manifests.length);
  const parented = new Set(byParents);
  return [...ordered, ...byParents, ...cyclic.filter((number) => !parented.has(number))];
}

/** Depth first, so that what follows stands by what it follows; without what hangs in or under a cycle. */
function sorted(numbers: readonly number[], edges: readonly Edges[], size: number): readonly number[] {
  const waitsFor = new Int32Array(size).fill(-1);
  for (const number of numbers) waitsFor[number] = 0;
  const forEachFollower = (number: number, visit: (follower: number) => void): void => {
    for (const kind of edges) {
      for (const follower of kind.of(number)) {
        if ((waitsFor[follower] ?? -1) >= 0) visit(follower);
      }
    }
  };
  for (const number of numbers) forEachFollower(number, (follower) => (waitsFor[follower] = (waitsFor[follower] ?? 0) + 1));
  const ready = numbers.filter((number) => waitsFor[number] === 0).reverse();
  const order: number[] = [];
  for (let number = ready.pop(); number !== undefined; number = ready.pop()) {
    order.push(number);
    const freed: number[] = [];
    forEachFollower(number, (follower) => {
      const left = (waitsFor[follower] ?? 0) - 1;
      waitsFor[follower] = left;
      if (left === 0) freed.push(follower);
    });
    for (const follower of freed.sort((one, other) => other - one)) ready.push(follower);
  }
  return order;
}
