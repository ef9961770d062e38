import { WaybillError } from '@waybill/kernel';

/** What is kept for a link or a tag besides content, roughly and rather too much: names, digests, map entries. */
export const entryBytes = 512;

/** The memory that a registry may use is taken. Removing content, or restarting, frees it. */
export class MemoryFull extends WaybillError<'memory-full'> {}

/** Counts what is held, so that a registry in memory never grows beyond what it was given. */
export class Budget {
  readonly #maxBytes: number;
  #used = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws MemoryFull */
  take(bytes: number): void {
    if (this.#used + bytes > this.#maxBytes) {
      throw new MemoryFull(`the registry may hold ${this.#maxBytes} bytes in memory, and does`, {
        code: 'memory-full',
        operation: 'store in memory',
      });
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
