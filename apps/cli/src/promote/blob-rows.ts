import type { BlobProgress } from '@waybill/contracts/http';
import { shortDigest } from '../output/format.js';
import type { Progress, ProgressPiece } from '../output/progress.js';

/** More would push the targets off the screen. */
const maxRows = 12;

/** A bar for every blob under way, which goes when the blob has arrived. */
export class BlobRows {
  readonly #progress: Progress;
  readonly #pieces = new Map<string, ProgressPiece>();

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  update({ target, digest, size, done, state }: BlobProgress, registry: string): void {
    const key = `${target} ${digest}`;
    if (state !== 'copying') {
      this.#remove(key);
      return;
    }
    let piece = this.#pieces.get(key);
    if (piece === undefined) {
      if (this.#pieces.size >= maxRows) return;
      piece = this.#progress.piece(`  ${shortDigest(digest)} → ${registry}`);
      this.#pieces.set(key, piece);
    }
    piece.update(done, size);
  }

  /** Nothing of the target is under way any more. */
  endOf(target: string): void {
    for (const key of this.#pieces.keys()) if (key.startsWith(`${target} `)) this.#remove(key);
  }

  #remove(key: string): void {
    this.#pieces.get(key)?.remove();
    this.#pieces.delete(key);
  }
}
