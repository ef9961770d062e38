import { Stack } from '../../../apps/cli/src/up/stack.js';
import { type Lane, type QueueKind, type SharedRegistries, startLane, startSharedRegistries } from '../kills/world.js';
import { type KillCase, type KillVerdict, type Place, playKill, playUndisturbed, type Undisturbed } from './play.js';
import type { SceneName } from './scenes.js';

/** Plays scenes of retention beside each other, as many at once as there are lanes. */
export class Theatre {
  readonly #registries: SharedRegistries;
  readonly #free: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  readonly #stack: Stack;
  #played = 0;

  private constructor(registries: SharedRegistries, lanes: readonly Lane[], stack: Stack) {
    this.#registries = registries;
    this.#free = [...lanes];
    this.#stack = stack;
  }

  static async open(laneCount: number): Promise<Theatre> {
    const stack = new Stack();
    try {
      const registries = await startSharedRegistries();
      stack.push(() => registries.stop());
      const lanes: Lane[] = [];
      for (let count = 0; count < laneCount; count += 1) {
        const lane = await startLane(registries);
        stack.push(() => lane.stop());
        lanes.push(lane);
      }
      return new Theatre(registries, lanes, stack);
    } catch (error) {
      await stack.unwind();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#stack.unwind();
  }

  undisturbed(scene: SceneName, queue: QueueKind, leftOut: readonly string[] = []): Promise<Undisturbed> {
    return this.#inLane(queue, (place) => playUndisturbed(scene, place, leftOut));
  }

  /** A machine that is very slow can lead a worker past its failpoint: where nobody was killed nothing was tried, so it is tried once more. */
  async kill(kill: KillCase, expected: Undisturbed): Promise<KillVerdict> {
    const play = () => this.#inLane(kill.queue, (place) => playKill(kill, expected, place));
    const verdict = await play();
    return verdict.wasKilled ? verdict : play();
  }

  async #inLane<T>(queue: QueueKind, play: (place: Place) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      this.#played += 1;
      return await play({ folder: `retention-${this.#played}`, queue, registries: this.#registries, lane });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }
}
