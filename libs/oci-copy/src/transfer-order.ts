import type { Descriptor } from '@waybill/oci-model';

/**
 * The order in which blobs are begun when `parallel` of them are under way at a time:
 * the largest first, so that no large one is left alone at the end, but one in
 * `parallel` (at least every second) is the smallest left, so that small ones are not starved.
 */
export function inTransferOrder(blobs: readonly Descriptor[], parallel: number): Descriptor[] {
  const stride = Math.max(2, parallel);
  const largestFirst = [...blobs].sort((a, b) => b.size - a.size);
  const large = largestFirst.slice(0, blobs.length - Math.floor(blobs.length / stride));
  const small = largestFirst.slice(large.length).reverse();
  const turns = Array.from({ length: Math.ceil(large.length / (stride - 1)) }, (_, turn) => turn);
  return turns.flatMap((turn) => [...large.slice(turn * (stride - 1), (turn + 1) * (stride - 1)), ...small.slice(turn, turn + 1)]);
}
