import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { parseTag } from '@waybill/oci-model';
import { ExecutionScene } from './execution-scene.spec-helper.js';
import { type HoldRow, Holds, type HoldScope } from './holds.js';
import { longAgo, named, seedTag } from './inventory-rows.spec-helper.js';
import { beginPurge } from './purge-scene.spec-helper.js';

describe('a hold that comes while a purge deletes', () => {
  let scene: ExecutionScene;
  let count = 0;
  beforeAll(async () => {
    scene = await ExecutionScene.start();
  });
  afterAll(() => scene.close());

  const place = async (on: HoldScope): Promise<string> => {
    const claim = await scene.retention.claim<HoldRow>();
    await new Holds(scene.database).place({ id: uuidV7.next(), on, reason: 'audit', by: scene.retention.by }, claim);
    return claim.done().on.scope;
  };

  it.each<[string, boolean, (repository: string, child: string) => HoldScope]>([
    ['the digest of what it lists', true, (_, child) => ({ scope: 'digest', digest: named(child) })],
    ['its digest in the repository', true, (repository, child) => ({ scope: 'digest', registry: 'ci', repository, digest: named(child) })],
    ['a tag that names it by now', true, (repository) => ({ scope: 'tag', repository, tag: parseTag('amd64') })],
    ['its digest in another repository', false, (_, child) => ({ scope: 'digest', repository: 'team-a/else', digest: named(child) })],
    ['its digest in another registry', false, (_, child) => ({ scope: 'digest', registry: 'prod', digest: named(child) })],
    ['another tag', false, (repository) => ({ scope: 'tag', repository, tag: parseTag('2.0') })],
    ['the repository, whose other manifests it keeps', false, (repository) => ({ scope: 'repository', repository })],
  ])('is refused where it keeps nothing any more: %s', async (_what, isLate, on) => {
    const [repository, index, child] = [`team-a/app-${++count}`, `index ${count}`, `child ${count}`];
    await scene.seed({ repository, manifests: { [index]: { children: [child] }, [child]: {} }, tags: { '1.0': index } });
    const { records, lease, leases } = await beginPurge(scene.retention, { repository, digest: named(index) });
    const digests = [index, child].map(named);
    expect(await records.intend(named(index), digests)).toMatchObject({ kind: 'intended', digests });
    await seedTag(scene.database, { registryId: scene.registryId, repository, tag: 'amd64', name: child, at: longAgo, source: 'crawl' });

    const held = place(on(repository, child));

    if (isLate) await expect(held).rejects.toMatchObject({ code: 'being-deleted', retryable: true });
    else expect(await held).toBe(on(repository, child).scope);
    for (const digest of digests) await records.settle(digest);
    expect(await place(on(repository, child))).toBe(on(repository, child).scope);
    await leases.finish(lease);
  });
});
