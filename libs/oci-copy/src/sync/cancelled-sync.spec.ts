import { describe, expect, it } from '@jest/globals';
import type { Digest, Tag } from '@waybill/oci-model';
import { MemoryStore } from '@waybill/testing';
import type { TagReport } from './sync-options.js';
import { syncRepository } from './sync-repository.js';
import { base, storeWith, synced, tagged } from './syncing.spec-helper.js';

describe('cancelling syncRepository', () => {
  it('ends what is under way, counts the rest, and leaves no session', async () => {
    const controller = new AbortController();
    const source = await storeWith(tagged, new MemoryStore());
    const store = new MemoryStore();
    const reports: TagReport[] = [];

    const report = await syncRepository(source, [{ id: 't', store }], {
      signal: controller.signal,
      rootsInParallel: 1,
      onTag: (each) => {
        reports.push(each);
        controller.abort();
      },
    });

    expect(reports[0]).toMatchObject({ outcome: 'copied' });
    expect(report.targets.get('t')).toMatchObject({ copied: 1, cancelled: 5, failed: 0 });
    expect(store.tags.size).toBe(1);
    expect(store.openUploads.size).toBe(0);
  });

  it('while tags are compared counts them all and tells of none', async () => {
    const controller = new AbortController();
    class Waiting extends MemoryStore {
      override async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
        controller.abort();
        return super.resolveTag(tag, signal);
      }
    }
    const source = await storeWith(tagged, new Waiting());

    const { report, reports } = await synced(source, { t: new MemoryStore() }, { signal: controller.signal });

    expect(report.targets.get('t')).toMatchObject({ cancelled: 6, failed: 0 });
    expect(reports).toEqual([]);
  });

  it('in the middle of the bytes leaves the tag unwritten', async () => {
    const controller = new AbortController();
    const source = await storeWith({ one: base }, new MemoryStore());
    const store = new MemoryStore();

    const { outcomes } = await synced(source, { t: store }, { signal: controller.signal, hooks: { onBytes: () => controller.abort() } });

    expect(outcomes('t')).toEqual({ one: 'cancelled' });
    expect([store.tags.size, store.openUploads.size]).toEqual([0, 0]);
  });
});
