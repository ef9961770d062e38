import { describe, expect, it } from '@jest/globals';
import { ContentError, type Descriptor, type Digest } from '@waybill/oci-model';
import { buildImage, buildReferrer, MemoryStore, pushBuilt } from '@waybill/testing';
import { findReferrers } from '../find-referrers.js';

const image = buildImage({ seed: 1, layers: 1 });
const root = image.manifest.digest;
const referrers = [1, 2, 3, 4].map((seed) => buildReferrer(image, { seed }));
/** What each of these manifests names itself, a config and a layer, and what the list names. */
const descriptors = 2 + referrers.length + 2 * referrers.length;

/** Its list breaks off after the last entry, as often as it is told to. */
class Interrupted extends MemoryStore {
  constructor(private breaks: number) {
    super();
  }

  override async *listReferrers(subject: Digest, signal?: AbortSignal): AsyncIterable<Descriptor> {
    yield* super.listReferrers(subject, signal);
    if (subject !== root || this.breaks === 0) return;
    this.breaks -= 1;
    throw new ContentError('the connection broke', { code: 'unreachable', operation: 'list referrers', retryable: true });
  }
}

async function found(breaks: number, maxDescriptors: number): Promise<number> {
  const source = new Interrupted(breaks);
  for (const built of [image, ...referrers]) await pushBuilt(source, built);
  const report = await findReferrers(source, root, { maxDescriptors, retryDelayMs: () => 0 });
  expect(source.callsOf('listReferrers').filter((subject) => subject === root)).toHaveLength(breaks + 1);
  return report.referrers.length;
}

describe('a list of referrers that had to be read again', () => {
  it.each([0, 1, 2])('counts once after it broke off %d times', async (breaks) => {
    expect(await found(breaks, descriptors)).toBe(referrers.length);
  });

  it('still counts', async () => {
    await expect(found(1, descriptors - 1)).rejects.toMatchObject({ code: 'graph-too-large' });
  });
});
