import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import type { RegistryReader, RepositoryReader } from '@waybill/promotion';
import { BoundedRegistryReader } from './bounded-registry-reader.js';

/** Knows no tag, and counts how often it is asked at once. */
class CountingReader implements RegistryReader {
  asked = 0;
  peak = 0;
  #asking = 0;

  repository(): RepositoryReader {
    const refuse = () => {
      throw new Error('only tags are asked for here');
    };
    const resolveTag = async () => {
      this.asked += 1;
      this.#asking += 1;
      this.peak = Math.max(this.peak, this.#asking);
      await setImmediate();
      this.#asking -= 1;
      return undefined;
    };
    return { resolveTag, readManifest: refuse, probeBlob: refuse, listTags: refuse };
  }

  repositories(): never {
    throw new Error('no catalogue is asked for here');
  }

  shareOrigin(): boolean {
    return false;
  }
}

describe('BoundedRegistryReader', () => {
  it('asks all questions, a few at a time, over all repositories together', async () => {
    const counting = new CountingReader();
    const reader = new BoundedRegistryReader(counting, 4);
    const repositories = ['team/one', 'team/two'].map((name) => reader.repository('prod', parseRepositoryName(name)));

    await Promise.all(Array.from({ length: 20 }, () => repositories.map((repository) => repository.resolveTag(parseTag('latest')))).flat());

    expect(counting.asked).toBe(40);
    expect(counting.peak).toBe(4);
  });
});
