import { describe, expect, it } from '@jest/globals';
import { ContentError, type Digest, parseTag, type Tag } from '@waybill/oci-model';
import { buildImage, MemoryStore, memoryStoreWith } from '@waybill/testing';
import type { TagReport } from './sync-options.js';
import { syncRepository } from './sync-repository.js';

const image = buildImage({ seed: 1, layers: 1 });
const tags = Array.from({ length: 100 }, (_, index) => parseTag(`v${index}`));

/** A source that has listed its tags, and goes away when so many of them have been asked for. */
class Leaving extends MemoryStore {
  asked = 0;

  constructor(
    private readonly answers: number,
    private readonly comesBackAfter = Infinity,
  ) {
    super();
  }

  override async resolveTag(tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
    this.asked += 1;
    if (this.asked <= this.answers || this.asked > this.comesBackAfter) return super.resolveTag(tag, signal);
    throw new ContentError('connection refused', { code: 'unreachable', operation: 'resolve tag', retryable: true });
  }
}

async function syncedFrom(source: Leaving) {
  await memoryStoreWith(image, source);
  for (const tag of tags) source.tags.set(tag, image.manifest.digest);
  const reports: TagReport[] = [];
  const { targets } = await syncRepository(source, [{ id: 'replica', store: new MemoryStore() }], {
    retryDelayMs: () => 0,
    manifestsInParallel: 2,
    onTag: (report) => void reports.push(report),
  });
  return { reports, counts: targets.get('replica') };
}

describe('a source that goes away while its tags are asked for', () => {
  it('is asked a few times, and not for every tag', async () => {
    const source = new Leaving(0);

    const { counts, reports } = await syncedFrom(source);

    expect(counts).toMatchObject({ failed: 100, copied: 0 });
    expect(reports).toHaveLength(100);
    expect(reports.every((report) => 'error' in report && report.error.code === 'source-unreachable')).toBe(true);
    // Five tags in a row, and one that was under way beside them, with two further tries each.
    expect(source.asked).toBeLessThanOrEqual(6 * 3);
  });

  it('leaves what it has told of', async () => {
    expect((await syncedFrom(new Leaving(40))).counts).toMatchObject({ copied: 40, failed: 60 });
  });

  it('is asked for the others when it comes back before it is given up', async () => {
    const { counts } = await syncedFrom(new Leaving(40, 46));

    // With two further tries each, six questions without an answer are those of two tags at most.
    expect(counts?.copied).toBeGreaterThanOrEqual(98);
  });
});
