import type { Digest } from '@waybill/oci-model';

/** Blobs that are remembered at one target; beyond it the oldest are forgotten, and asked for again. */
const maxRemembered = 100_000;

/** A blob that somebody brings, for those who want it too. */
interface Bringing {
  readonly ended: Promise<void>;
  readonly end: () => void;
}

export type BlobClaim =
  /** The caller brings the blob, and calls `release` when it has ended, however it did. */
  | { readonly isMine: true; readonly release: () => void }
  /** Somebody else brings it; it may fail, for reasons of its own. */
  | { readonly isMine: false; readonly ended: Promise<void> };

/** What is known of the blobs at one target; shared by whatever copies to it in one call, so that each blob goes there once. */
export class KnownBlobs {
  readonly #present = new Set<Digest>();
  readonly #underWay = new Map<Digest, Bringing>();

  constructor(private readonly most = maxRemembered) {}

  has(digest: Digest): boolean {
    return this.#present.has(digest);
  }

  claim(digest: Digest): BlobClaim {
    const other = this.#underWay.get(digest);
    if (other !== undefined) return { isMine: false, ended: other.ended };
    const mine = bringing();
    this.#underWay.set(digest, mine);
    return { isMine: true, release: () => this.#end(digest, mine) };
  }

  /** The blob is at the target: whoever waits for it goes on. */
  arrived(digest: Digest): void {
    this.#present.add(digest);
    const [oldest] = this.#present;
    if (this.#present.size > this.most && oldest !== undefined) this.#present.delete(oldest);
    const current = this.#underWay.get(digest);
    if (current !== undefined) this.#end(digest, current);
  }

  /** What was known of the blob has proven wrong. */
  forget(digest: Digest): void {
    this.#present.delete(digest);
  }

  #end(digest: Digest, ended: Bringing): void {
    if (this.#underWay.get(digest) === ended) this.#underWay.delete(digest);
    ended.end();
  }
}

function bringing(): Bringing {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { ended, end };
}
