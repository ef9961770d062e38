import type { StagedContent, StagingArea } from '../storage.js';
import type { Budget } from './budget.js';

/** The chunks of unfinished uploads. */
export class MemoryStaging implements StagingArea {
  readonly #budget: Budget;
  readonly #chunks = new Map<string, Buffer[]>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  async append(id: string): Promise<StagedContent> {
    const chunks = this.#chunks.get(id) ?? [];
    this.#chunks.set(id, chunks);
    return {
      write: async (chunk) => {
        this.#budget.take(chunk.byteLength);
        chunks.push(Buffer.from(chunk)); // a copy: what came may be a view of a larger buffer, or be written to again
      },
      sync: async () => undefined,
      close: async () => undefined,
    };
  }

  async *read(id: string): AsyncGenerator<Uint8Array> {
    yield* this.#chunks.get(id) ?? [];
  }

  async truncate(id: string, size: number): Promise<void> {
    const before = this.#chunks.get(id) ?? [];
    const kept: Buffer[] = [];
    let left = size;
    for (const chunk of before) {
      const part = chunk.subarray(0, left);
      left -= part.byteLength;
      if (part.byteLength > 0) kept.push(part);
    }
    this.#budget.give(lengthOf(before) - lengthOf(kept));
    this.#chunks.set(id, kept);
  }

  async remove(id: string): Promise<void> {
    this.#budget.give(lengthOf(this.take(id)));
  }

  async ids(): Promise<readonly string[]> {
    return [...this.#chunks.keys()];
  }

  /** Hands the chunks over, together with what was taken of the budget for them. */
  take(id: string): readonly Buffer[] {
    const chunks = this.#chunks.get(id) ?? [];
    this.#chunks.delete(id);
    return chunks;
  }
}

export function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
