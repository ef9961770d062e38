import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { parseTag } from '@waybill/oci-model';
import { ExecutionScene } from './execution-scene.spec-helper.js';
import { type HoldRow, Holds, type HoldScope } from './holds.js';
import { named } from './inventory-rows.spec-helper.js';
import { beginPurge } from './purge-scene.spec-helper.js';
import { TrashRequests } from './trash-requests.js';

describe('a purge and what somebody holds', () => {
  let scene: ExecutionScene;
  let count = 0;
  beforeAll(async () => {
    scene = await ExecutionScene.start();
  });
  afterAll(() => scene.close());

  const place = async (on: HoldScope): Promise<string> => {
    const claim = await scene.retention.claim<HoldRow>();
    await new Holds(scene.database).place({ id: uuidV7.next(), on, reason: 'audit', by: scene.retention.by }, claim);
    return claim.done().id;
  };

  it.each<[string, (repository: string, child: string) => HoldScope]>([
    ['the digest of what it lists', (_, child) => ({ scope: 'digest', digest: named(child) })],
    ['a tag of its own', (repository) => ({ scope: 'tag', repository, tag: parseTag('1.0') })],
    ['the repository, placed after it was asked for', (repository) => ({ scope: 'repository', repository })],
  ])('nothing of it goes: %s', async (_what, on) => {
    const [repository, index, child] = [`team-a/held-${++count}`, `index ${count}`, `child ${count}`];
    await scene.seed({ repository, manifests: { [index]: { children: [child] }, [child]: {} }, tags: { '1.0': index } });
    const { records, lease, leases } = await beginPurge(scene.retention, { repository, digest: named(index) });
    const hold = await place(on(repository, child));

    expect(await records.intend(named(index), [index, child].map(named))).toEqual({ kind: 'held', hold });
    const items = await new TrashRequests(scene.database).items(lease.id, { limit: 10 });
    expect(items).toMatchObject([{ digest: named(index), state: 'pending' }]);
    await leases.finish(lease);
  });

  it('what is held and stays anyhow keeps nothing', async () => {
    const repository = 'team-a/held-elsewhere';
    await scene.seed({
      ...{
        repository,
        manifests: { gone: { children: ['base'] }, other: { children: ['base'] }, base: {} },
        tags: { '1': 'gone', '2': 'other' },
      },
    });
    await place({ scope: 'digest', digest: named('base') });
    const { records, lease, leases } = await beginPurge(scene.retention, { repository, digest: named('gone') });

    expect(await records.intend(named('gone'), ['gone', 'base'].map(named))).toEqual({ kind: 'intended', digests: [named('gone')] });
    await leases.finish(lease);
  });
});
