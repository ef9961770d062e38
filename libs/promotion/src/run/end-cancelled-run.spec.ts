import { describe, expect, it } from '@jest/globals';
import { endCancelledRun } from './end-cancelled-run.js';
import { FakeRun, itemRun, oneTag, rootManifest, targetRun, trouble } from './fake-run.spec-helper.js';
import type { LocationRun } from './run.js';

const idle = new AbortController().signal;

/** A run of two items or more, each with a target at every one of the registries. */
function runAt(registries: readonly string[], items = ['one', 'two']): LocationRun {
  const targetsOf = (item: string) => registries.map((registry) => targetRun(`${item}-${registry}`, { registry }));
  return { promotionId: 'promotion', location: 'eu', items: items.map((id) => itemRun(targetsOf(id), { id })) };
}

describe('endCancelledRun of many targets', () => {
  it('ends those of one registry one after the other: each end locks the promotion', async () => {
    const counts = { underWay: 0, most: 0 };
    const fake = new FakeRun({
      journal: {
        finish: async () => {
          counts.underWay += 1;
          counts.most = Math.max(counts.most, counts.underWay);
          await new Promise((resolve) => setImmediate(resolve));
          counts.underWay -= 1;
        },
      },
    });

    await endCancelledRun(runAt(['prod'], ['one', 'two', 'three']), fake.ports, idle);

    expect(counts.most).toBe(1);
    expect(fake.logOf('finish')).toEqual(['finish one-prod', 'finish two-prod', 'finish three-prod']);
  });

  it('asks a registry that does not answer once for nothing more, and the others all the same', async () => {
    const open = { id: 'effect', kind: 'tag', tag: oneTag, digest: rootManifest.digest } as const;
    const fake = new FakeRun({
      journal: { unsettledEffects: () => Promise.resolve([open]) },
      copier: { resolveTargetTag: ({ registry }) => (registry === 'silent' ? Promise.reject(trouble()) : Promise.resolve(undefined)) },
    });

    await endCancelledRun(runAt(['silent', 'prod']), fake.ports, idle);

    const asked = ['one-prod', 'one-silent', 'two-prod'];
    expect(fake.logOf('resolveTargetTag').sort()).toEqual(asked.map((id) => `resolveTargetTag ${id} ${oneTag}`));
    expect(Object.values(fake.outcomes())).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
  });

  it('goes on at the other registries when an end of one cannot be recorded', async () => {
    const ended: string[] = [];
    const fake = new FakeRun({
      journal: {
        finish: ({ id, registry }) => (registry === 'prod' ? Promise.reject(new Error('away')) : Promise.resolve(void ended.push(id))),
      },
    });

    await expect(endCancelledRun(runAt(['prod', 'other']), fake.ports, idle)).rejects.toThrow('away');

    expect(ended).toEqual(['one-other', 'two-other']);
  });
});
