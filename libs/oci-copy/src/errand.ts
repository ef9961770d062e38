import type { BlobUpload, Descriptor } from '@waybill/oci-model';
import type { BlobClaim } from './known-blobs.js';
import type { Part } from './part.js';

/** One blob on its way to one target; nobody else brings it there meanwhile. */
export class Errand {
  /** What a refused mount has left. Used by the first transfer, else cancelled at the end. */
  upload: BlobUpload | undefined;
  readonly #release: () => void;
  #isAlone = false;

  constructor(
    readonly blob: Descriptor,
    readonly part: Part,
    release: () => void,
  ) {
    this.#release = release;
  }

  /** Goes on without the others, who do not wait for it. `work` never rejects. */
  goOnAlone(work: () => Promise<void>): void {
    this.#isAlone = true;
    this.part.run.track(work().finally(() => this.#end()));
  }

  /** What is done together has ended; what goes on alone is not over yet. */
  async end(): Promise<void> {
    if (!this.#isAlone) await this.#end();
  }

  async #end(): Promise<void> {
    await this.upload?.cancel();
    this.#release();
  }
}

/** How errands are run: by all targets together, of which nobody waits for one that was left behind, or by one target alone. */
export interface ErrandWork {
  readonly company: 'together' | 'alone';
  readonly bring: (errands: readonly Errand[]) => Promise<void>;
}

/**
 * Has a blob brought to the parts that want it and whose target does not get it already.
 * A part that waits for another one's errand may have to run its own when that one gives up, for reasons of its own.
 */
export async function runErrands(blob: Descriptor, parts: readonly Part[], { company, bring }: ErrandWork): Promise<void> {
  const isTogether = company === 'together';
  let waiting = parts;
  for (;;) {
    if (isTogether) waiting = waiting.filter(({ run }) => !run.holdUp.isLeftBehind);
    const missing = await withoutKnown(blob, waiting);
    if (missing.length === 0) return;
    // Claimed all at once, and released before anything is waited for: nobody waits in a circle.
    const claimed = missing.map((part) => ({ part, claim: part.run.knownBlobs.claim(blob.digest) }));
    const errands = claimed.flatMap(({ part, claim }) => (claim.isMine ? [new Errand(blob, part, claim.release)] : []));
    try {
      if (errands.length > 0) await bring(errands);
    } finally {
      await Promise.all(errands.map((errand) => errand.end()));
    }
    waiting = await othersEnded(claimed, isTogether);
  }
}

/** Waits for the errands of others; gives the parts that wanted the same. */
async function othersEnded(claimed: readonly { part: Part; claim: BlobClaim }[], isTogether: boolean): Promise<Part[]> {
  const parts: Part[] = [];
  const ends = claimed.map(async ({ part, claim }) => {
    if (claim.isMine) return;
    parts.push(part);
    const { failed, holdUp } = part.run;
    await Promise.race([claim.ended, failed, ...(isTogether ? [holdUp.leftBehind] : [])]);
  });
  await Promise.all(ends);
  return parts;
}

/** The parts that still want the blob; those whose target is known to have it are told so. */
async function withoutKnown(blob: Descriptor, parts: readonly Part[]): Promise<Part[]> {
  const wanted = parts.filter((part) => part.error === undefined);
  const known = wanted.filter((part) => part.run.knownBlobs.has(blob.digest));
  await Promise.all(known.map((part) => part.guard(() => part.blobArrived(blob, 'already-present'))));
  return wanted.filter((part) => !known.includes(part));
}
