/** Calls `visit` with everything that one edge leads to from there; with the same more than once where several edges do. */
export type Walk = (number: number, visit: (other: number) => void) => void;

/**
 * By number: equal of those that lead to each other, different of those that do not (strongly connected components, as Kosaraju finds
 * them). Every number below `size` that the edges lead to must be among `numbers`; of the others it gives -1.
 * Time grows with numbers and edges, and nothing is called by itself: a chain may be as long as a repository.
 */
export function cyclesOf(numbers: readonly number[], edges: { readonly forth: Walk; readonly back: Walk }, size: number): Int32Array {
  const cycles = new Int32Array(size).fill(-1);
  for (const start of finished(numbers, edges.forth, size).reverse()) {
    const pending = [start];
    for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
      if (cycles[number] !== -1) continue;
      cycles[number] = start;
      edges.back(number, (other) => pending.push(other));
    }
  }
  return cycles;
}

/** Each after all that it leads to, as far as cycles allow. */
function finished(numbers: readonly number[], forth: Walk, size: number): number[] {
  const isSeen = new Uint8Array(size);
  const order: number[] = [];
  for (const start of numbers) {
    // The complement of a number says that all it leads to is done.
    const pending = [start];
    for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
      if (number < 0) {
        order.push(~number);
        continue;
      }
      if (isSeen[number] === 1) continue;
      isSeen[number] = 1;
      pending.push(~number);
      forth(number, (other) => pending.push(other));
    }
  }
  return order;
}
