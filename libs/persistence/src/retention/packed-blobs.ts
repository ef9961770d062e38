import type { SnapshotBlob } from '@waybill/retention';

/** Hexadecimal digits of the first eight bytes of a digest, and of those and a size. */
const idLength = 16;
const entryLength = 32;

/** Blobs as `manifest.blobs` keeps them, read when they are wanted: those of a repository from which nothing goes never are. */
export class PackedBlobs implements Iterable<SnapshotBlob> {
  readonly #hex: string;

  constructor(hex: string) {
    this.#hex = hex;
  }

  *[Symbol.iterator](): Generator<SnapshotBlob> {
    for (let at = 0; at < this.#hex.length; at += entryLength) {
      const size = Number.parseInt(this.#hex.slice(at + idLength, at + entryLength), 16);
      yield { id: this.#hex.slice(at, at + idLength), size };
    }
  }
}
