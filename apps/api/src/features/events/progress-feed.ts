import { EventEmitter } from 'node:events';
import { CopyProgress } from '@waybill/contracts/http';

/** Hands what workers tell of bytes under way to those who follow the promotion. Nothing is kept. */
export class ProgressFeed {
  readonly #readers = new EventEmitter().setMaxListeners(0);

  /** Takes a notification's payload: JSON of a worker's, or nothing after a reconnection. */
  take(payload: string): void {
    if (this.#readers.eventNames().length === 0 || payload === '') return;
    const parsed = CopyProgress.safeParse(jsonOf(payload));
    if (parsed.success) this.#readers.emit(parsed.data.promotionId, parsed.data);
  }

  /** Gives what to call to hear no more. */
  follow(promotionId: string, reader: (progress: CopyProgress) => void): () => void {
    this.#readers.on(promotionId, reader);
    return () => void this.#readers.off(promotionId, reader);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
