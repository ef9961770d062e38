import { setTimeout as delay } from 'node:timers/promises';
import { ApiProblem } from '../../../apps/cli/src/api-client/api-problem.js';
import type { WaybillApi } from '../../../apps/cli/src/api-client/waybill-api.js';

const pollMs = 100;
const settleWithinMs = 300_000;

/** How a request of something is refused that a run deletes, or has deleted. */
const lost: readonly string[] = ['being-deleted', 'tag-unknown', 'repository-unknown'];

interface Fate {
  /** A run may delete it before it is asked for: then it is refused. */
  readonly isCondemned: boolean;
}

/** Promotions from CI to Prod, and what became of them. What is accepted must succeed, whatever retention does meanwhile. */
export class Promotions {
  /** `repository:tag` of what is at Prod now. */
  readonly arrived = new Set<string>();
  /** How often a request was refused, by the problem's code. */
  readonly refused = new Map<string, number>();
  succeeded = 0;
  readonly #api: WaybillApi;
  readonly #problems: string[];

  constructor(api: WaybillApi, problems: string[]) {
    this.#api = api;
    this.#problems = problems;
  }

  /** Promotes, and waits until nothing is left to do. */
  async promote(image: string, fate: Fate): Promise<void> {
    const id = await this.request('release', image, fate);
    if (id !== undefined) await this.settled(id, image);
  }

  /** Gives the promotion's id, or nothing where it was refused. */
  async request(path: 'release' | 'held', image: string, { isCondemned }: Fate): Promise<string | undefined> {
    try {
      return (await this.#api.createPromotion({ path, items: [{ source: `ci-snapshots/${image}` }] })).id;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      if (isCondemned && lost.includes(error.code)) this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1);
      else this.#problems.push(`the promotion of ${image} was refused: ${error.code}: ${error.message}`);
      return undefined;
    }
  }

  async settled(id: string, image: string): Promise<void> {
    const deadline = performance.now() + settleWithinMs;
    for (;;) {
      const { settled, state, items } = await this.#api.promotion(id);
      if (settled && state === 'succeeded') {
        this.succeeded += 1;
        this.arrived.add(image);
        return;
      }
      if (settled || performance.now() > deadline) {
        const errors = items.flatMap(({ targets }) => targets.map(({ error }) => error?.message ?? ''));
        this.#problems.push(`promotion ${id} of ${image} is ${state}: ${errors.join('; ')}`);
        return;
      }
      await delay(pollMs);
    }
  }
}

/** One image after another, and again from the start, until told to end; resolves when the last one has arrived. */
export class PromotionLane {
  readonly #stop = new AbortController();
  readonly #work: Promise<void>;

  constructor(images: readonly string[], promote: (image: string) => Promise<void>) {
    this.#work = this.#run(images, promote);
    // Whoever ends the lane is told; until then nobody listens.
    this.#work.catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #run(images: readonly string[], promote: (image: string) => Promise<void>): Promise<void> {
    for (let at = 0; !this.#stop.signal.aborted && images.length > 0; at = (at + 1) % images.length) await promote(images[at] ?? '');
  }
}

const laneCount = 2;

/** Lanes that share the images, those of a repository in one of them. */
export function lanesOf(images: readonly (readonly string[])[], promote: (image: string) => Promise<void>): readonly PromotionLane[] {
  return Array.from(
    { length: laneCount },
    (_, lane) => new PromotionLane(images.filter((_images, at) => at % laneCount === lane).flat(), promote),
  );
}
