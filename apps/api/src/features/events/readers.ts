import { ApiError } from '../../http/api-error.js';

export interface ReaderBounds {
  /** Streams that this process keeps open at a time. */
  readonly total: number;
  /** And for one principal. */
  readonly perPrincipal: number;
}

const retryAfterMs = 10_000;

/** Counts who reads, so that nobody takes every stream. */
export class Readers {
  readonly #bounds: ReaderBounds;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(bounds: ReaderBounds) {
    this.#bounds = bounds;
  }

  /** Streams that are open now. */
  get open(): number {
    return this.#total;
  }

  /** Gives what to call when the reader is gone. @throws ApiError `too-many-streams` */
  enter(principalId: string): () => void {
    const ofPrincipal = this.#counts.get(principalId) ?? 0;
    const { total, perPrincipal } = this.#bounds;
    if (this.#total >= total || ofPrincipal >= perPrincipal) {
      const whose = ofPrincipal >= perPrincipal ? `by one principal: ${perPrincipal}` : `here: ${total}`;
      throw new ApiError(`as many streams are open as may be ${whose}`, { code: 'too-many-streams', retryable: true, retryAfterMs });
    }
    this.#total += 1;
    this.#counts.set(principalId, ofPrincipal + 1);
    return () => this.#leave(principalId);
  }

  #leave(principalId: string): void {
    this.#total -= 1;
    const left = (this.#counts.get(principalId) ?? 1) - 1;
    if (left === 0) this.#counts.delete(principalId);
    else this.#counts.set(principalId, left);
  }
}
