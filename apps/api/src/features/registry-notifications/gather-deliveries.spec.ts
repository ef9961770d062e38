import { describe, expect, it } from '@jest/globals';
import type { Delivery, TakenIn } from '@waybill/persistence';
import { ApiError } from '../../http/api-error.js';
import { GatherDeliveries } from './gather-deliveries.js';

function delivery(registryId: string, heartbeats: readonly string[] = []): Delivery {
  return { registryId, location: 'eu', instances: [], told: [], heartbeats, isIncomplete: false };
}

/** Keeps what it is given when it is let; nothing that names `poison`. */
class HeldIntake {
  readonly written: string[][] = [];
  readonly #held: (() => void)[] = [];

  async take(deliveries: readonly Delivery[]): Promise<TakenIn> {
    const names = deliveries.map(({ registryId }) => registryId);
    await new Promise<void>((resolve) => this.#held.push(resolve));
    if (names.includes('poison')) throw new Error('it cannot be written');
    this.written.push(names);
    return { repeated: 0, dropped: 0 };
  }

  /** Lets writes go on until none is left. */
  async release(): Promise<void> {
    for (let held = this.#held.shift(); held !== undefined; held = this.#held.shift()) {
      held();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('GatherDeliveries', () => {
  it('writes together what came while something was being written', async () => {
    const intake = new HeldIntake();
    const gather = new GatherDeliveries(intake);
    const kept = ['a', 'b', 'c'].map((name) => gather.take(delivery(name)));

    await intake.release();

    await expect(Promise.all(kept)).resolves.toHaveLength(3);
    expect(intake.written).toEqual([['a'], ['b', 'c']]);
  });

  it('lets one that cannot be written spoil no other', async () => {
    const intake = new HeldIntake();
    const gather = new GatherDeliveries(intake);
    const ends = Promise.allSettled(['a', 'b', 'poison', 'c'].map((name) => gather.take(delivery(name))));

    await intake.release();

    expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(intake.written).toEqual([['a'], ['b'], ['c']]);
  });

  it('lets nobody wait beyond what memory is to hold, and takes more when that is written', async () => {
    const intake = new HeldIntake();
    const gather = new GatherDeliveries(intake);
    const large = Array.from({ length: 9_999 }, () => 'heartbeat');
    const kept = ['a', 'b', 'c'].map((name) => gather.take(delivery(name, large)));

    expect(() => gather.take(delivery('d'))).toThrow(ApiError);
    await intake.release();
    await Promise.all(kept);
    const last = gather.take(delivery('d'));
    await intake.release();

    await expect(last).resolves.toBeUndefined();
  });
});
