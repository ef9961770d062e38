import { setMaxListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@waybill/observability';
import type { EventLog, EventRow } from '@waybill/persistence';
import { EventFeed } from './event-feed.js';

const idle = new AbortController().signal;
setMaxListeners(0, idle);

/** A log in memory. */
class NotedEvents implements Pick<EventLog, 'read' | 'bounds'> {
  #latest = 0n;

  add(): void {
    this.#latest += 1n;
  }

  bounds() {
    return Promise.resolve({ oldest: 1n, latest: this.#latest });
  }

  read({ after, limit }: { readonly after: bigint; readonly limit: number }): Promise<EventRow[]> {
    const rows: EventRow[] = [];
    for (let id = after + 1n; id <= this.#latest && rows.length < limit; id += 1n) {
      rows.push({ id, promotionId: 'promotion', kind: 'promotion', body: {}, occurredAt: new Date(0) });
    }
    return Promise.resolve(rows);
  }
}

describe('EventFeed', () => {
  function feedOf(log: NotedEvents): EventFeed {
    return new EventFeed({ log, logger: silentLogger, maxKept: 10 });
  }

  it('keeps nothing of readers that were told: a stream is told as often as something happens', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const [log, rounds, readers] = [new NotedEvents(), 500, 100];
    const feed = feedOf(log);
    await feed.read({ after: 0n, limit: 1 });
    const before = heap();

    for (let position = 0n; position < rounds; position += 1n) {
      const told = Promise.all(Array.from({ length: readers }, () => feed.beyond(position, idle)));
      log.add();
      feed.wake();
      await told;
    }

    expect((heap() - before) / rounds / readers).toBeLessThan(40);
    await feed.close();
  });

  it('lets nobody wait when it is closed', async () => {
    const feed = feedOf(new NotedEvents());
    const waiting = Promise.allSettled([feed.beyond(0n, idle), feed.beyond(0n, idle)]);
    await feed.read({ after: 0n, limit: 1 });

    await feed.close();

    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(feed.beyond(0n, idle)).rejects.toThrow('closed');
  });

  it('lets go of whoever gives up', async () => {
    const feed = feedOf(new NotedEvents());
    const reader = new AbortController();
    const waiting = feed.beyond(0n, reader.signal);
    await feed.read({ after: 0n, limit: 1 });

    reader.abort(new Error('gone'));

    await expect(waiting).rejects.toThrow();
    await feed.close();
  });
});
