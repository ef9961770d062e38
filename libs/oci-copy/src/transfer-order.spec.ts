import { describe, expect, it } from '@jest/globals';
import { type Descriptor, digestOf } from '@waybill/oci-model';
import { inTransferOrder } from './transfer-order.js';

function blobs(...sizes: number[]): Descriptor[] {
  return sizes.map((size) => ({ mediaType: 'x', digest: digestOf(Buffer.from(String(size))), size }));
}

describe('inTransferOrder', () => {
  const rows: readonly [number, number[], number[]][] = [
    [4, [], []],
    [4, [1], [1]],
    [4, [2, 9, 5], [9, 5, 2]],
    [4, [1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 1, 5, 4, 3, 2]],
    [2, [1, 2, 3, 4, 5], [5, 1, 4, 2, 3]],
    [1, [1, 2, 3], [3, 1, 2]],
    [3, [4, 4, 4], [4, 4, 4]],
  ];
  it.each(rows)('begins %d at a time of %p as %p', (parallel, sizes, expected) => {
    expect(inTransferOrder(blobs(...sizes), parallel).map((blob) => blob.size)).toEqual(expected);
  });
});
