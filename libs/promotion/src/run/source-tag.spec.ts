import { describe, expect, it } from '@jest/globals';
import type { RepositoryName } from '@waybill/oci-model';
import { digestNamed, FakeRun, itemRun, oneTag, rootManifest, targetRun, trouble } from './fake-run.spec-helper.js';
import { runItem } from './run-item.js';

const signal = new AbortController().signal;

describe('runItem and the source tag', () => {
  const moves = async (found: FakeRun['sourceTag'], facts = {}) => {
    const recorded: unknown[] = [];
    const fake = new FakeRun({ journal: { recordSourceMove: (_item, to) => Promise.resolve(void recorded.push(to)) } });
    fake.sourceTag = found;
    await runItem(itemRun([targetRun('prod')], facts), fake.ports, signal);
    return { fake, recorded };
  };

  it.each([
    ['moved', digestNamed('a newer build')],
    ['vanished', undefined],
  ])('records that it %s, and brings the pinned digest', async (_name, found) => {
    const { fake, recorded } = await moves(found);

    expect(recorded).toEqual([found]);
    expect(fake.tags.get(`prod:${oneTag}`)).toBe(rootManifest.digest);
    expect(fake.outcomes()).toEqual({ prod: 'copied' });
  });

  it('records nothing when it still names the pinned digest', async () => {
    expect((await moves(rootManifest.digest)).recorded).toEqual([]);
  });

  it('asks nothing when the item was named by digest', async () => {
    const source = { registry: 'ci-snapshots', repository: 'team/app' as RepositoryName };
    const { fake, recorded } = await moves(digestNamed('a newer build'), { source });

    expect(recorded).toEqual([]);
    expect(fake.logOf('resolveSourceTag')).toEqual([]);
  });

  it('leaves a source that cannot be asked to the copy', async () => {
    const fake = new FakeRun({ copier: { resolveSourceTag: () => Promise.reject(trouble()) } });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.logOf('recordSourceMove')).toEqual([]);
    expect(fake.outcomes()).toEqual({ prod: 'copied' });
  });
});
