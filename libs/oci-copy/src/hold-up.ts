import { sinkBufferBytes } from './options.js';

/** A target that takes this much in a second may keep the others waiting for as long as it likes. */
const bytesPerSecond = sinkBufferBytes;

/**
 * How long one target may keep others waiting in a call. What it takes earns it time, up to its first allowance;
 * when none is left it is left behind: the others wait for it no more, and it goes on alone.
 */
export class HoldUp {
  /** Resolves when the target is left behind; never rejects. */
  readonly leftBehind: Promise<void>;
  readonly #allowanceMs: number;
  #leftMs: number;
  #waits = 0;
  #countedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isLeftBehind = false;
  #leave: () => void = () => undefined;
  readonly #waiting = new Set<() => void>();

  constructor(allowanceMs: number) {
    this.#allowanceMs = allowanceMs;
    this.#leftMs = allowanceMs;
    this.leftBehind = new Promise((resolve) => {
      this.#leave = resolve;
    });
  }

  get isLeftBehind(): boolean {
    return this.#isLeftBehind;
  }

  /** Somebody waits for the target until the given function is called. Waits at the same time count once. */
  begin(): () => void {
    this.#count();
    this.#waits += 1;
    if (this.#waits === 1) this.#arm();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#count();
      this.#waits -= 1;
      if (this.#waits === 0) clearTimeout(this.#timer);
    };
  }

  /**
   * Resolves when `work` has ended or the target is left behind; `work` never rejects. Unlike a race with `leftBehind`
   * it leaves nothing at the target, which is waited for once for each chunk of a blob.
   */
  async endOf(work: Promise<unknown>): Promise<void> {
    if (this.#isLeftBehind) return;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        this.#waiting.delete(goOn);
        resolve();
      };
      this.#waiting.add(goOn);
      void work.then(goOn);
    });
  }

  /** The target has taken bytes. */
  took(bytes: number): void {
    this.#count();
    this.#leftMs = Math.min(this.#allowanceMs, this.#leftMs + (bytes / bytesPerSecond) * 1_000);
  }

  #arm(): void {
    if (!this.#isLeftBehind) this.#timer = setTimeout(() => this.#leaveWhenUsedUp(), Math.max(1, Math.ceil(this.#leftMs)));
  }

  #leaveWhenUsedUp(): void {
    this.#count();
    // Timers may be early by a fraction of a millisecond.
    if (this.#leftMs >= 1) {
      this.#arm();
      return;
    }
    this.#isLeftBehind = true;
    this.#leave();
    for (const goOn of this.#waiting) goOn();
  }

  #count(): void {
    const now = performance.now();
    if (this.#waits > 0) this.#leftMs -= now - this.#countedAt;
    this.#countedAt = now;
  }
}

/** What one target does while others wait for it. */
export interface Step<T> {
  /** Absent when nobody waits for the target. */
  readonly holdUp: HoldUp | undefined;
  /** Never rejects. */
  readonly work: Promise<T>;
}

/**
 * Waits until each step has ended or its target is left behind; gives the results of those that have ended.
 * From the moment at which somebody waits, every target whose step goes on keeps it waiting: that is from the
 * beginning on when `isWaited`, else from the end of the first step of which `waits` is true.
 */
export async function keptUp<S extends Step<unknown>>(
  steps: readonly S[],
  waits: (result: Awaited<S['work']>, step: S) => boolean,
  isWaited = false,
): Promise<ReadonlyMap<S, Awaited<S['work']>>> {
  const results = new Map<S, Awaited<S['work']>>();
  const stops = new Map<S, () => void>();
  const holdUp = (): void => {
    for (const step of steps) {
      if (step.holdUp !== undefined && !results.has(step) && !stops.has(step)) stops.set(step, step.holdUp.begin());
    }
  };
  if (isWaited) holdUp();
  const follow = async (step: S): Promise<void> => {
    const ended = step.work.then((answer) => {
      const result = answer as Awaited<S['work']>;
      results.set(step, result);
      stops.get(step)?.();
      if (waits(result, step)) holdUp();
    });
    await (step.holdUp === undefined ? ended : step.holdUp.endOf(ended));
    stops.get(step)?.();
  };
  await Promise.all(steps.map(follow));
  return new Map(results);
}
