import type { Descriptor } from '@waybill/oci-model';

/**
 * The order in which blobs are begun when `parallel` of them are under way at a time:
 * the largest first, so that no large one is left alone at the end, but one in
 * `parallel` (at least every second) is the smallest left, so that small ones are not starved.
 */
export function inTransferOrder(blobs: readonly Descriptor[], parallel: number): Descriptor[] {
  const largestFirst = [...blobs].sort((a, b) => b.size - a.size);
  const stride = Math.max(2, parallel);
  const smallCount = Math.floor(blobs.length / stride);
  const small = largestFirst.splice(largestFirst.length - smallCount).reverse();
  return blobs.map((_, index) => ((index + 1) % stride === 0 ? small : largestFirst).shift()!);
}
