import { describe, expect, it } from '@jest/globals';
import { type Digest, parseRepositoryName, parseTag } from '@waybill/oci-model';
import type { RegistryReader, RepositoryReader } from '@waybill/promotion';
import { EvenRegistryReader } from './even-registry-reader.js';

const repository = parseRepositoryName('team-a/app');
const tag = parseTag('latest');

/** Answers at once, but for one registry, which never does. */
class HalfHangingReader implements RegistryReader {
  readonly asked = new Map<string, number>();

  repository(registry: string): RepositoryReader {
    const refuse = () => {
      throw new Error('only tags are asked for here');
    };
    const resolveTag = (): Promise<Digest | undefined> => {
      this.asked.set(registry, (this.asked.get(registry) ?? 0) + 1);
      return registry === 'hangs' ? new Promise(() => undefined) : Promise.resolve(undefined);
    };
    return { resolveTag, readManifest: refuse, probeBlob: refuse, listTags: refuse };
  }

  repositories(): never {
    throw new Error('no catalogue is asked for here');
  }

  shareOrigin(one: string, other: string): boolean {
    return one === other;
  }
}

describe('EvenRegistryReader', () => {
  it('asks a registry a few questions at a time, and keeps nobody waiting for another', async () => {
    const half = new HalfHangingReader();
    const reader = new EvenRegistryReader(half, 3);

    for (let question = 0; question < 10; question += 1) void reader.repository('hangs', repository).resolveTag(tag);
    await Promise.all(Array.from({ length: 10 }, () => reader.repository('answers', repository).resolveTag(tag)));

    expect(Object.fromEntries(half.asked)).toEqual({ hangs: 3, answers: 10 });
  });

  it('leaves everything else to the reader that it reads', () => {
    const reader = new EvenRegistryReader(new HalfHangingReader(), 3);

    expect(reader.shareOrigin('prod', 'prod')).toBe(true);
    expect(reader.shareOrigin('prod', 'ci')).toBe(false);
    expect(() => reader.repositories('prod', new AbortController().signal)).toThrow('no catalogue');
  });
});
