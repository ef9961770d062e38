import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { ExecutionScene } from './execution-scene.spec-helper.js';
import { findRestorable } from './find-restorable.js';
import { named } from './inventory-rows.spec-helper.js';
import { beginPurge } from './purge-scene.spec-helper.js';
import { RetentionTrash } from './trash.js';
import { TrashRequestLeases } from './trash-request-leases.js';
import { type TrashRequestRow, TrashRequests } from './trash-requests.js';

const [release, latest] = [parseTag('1.0.0'), parseTag('latest')];

describe('the inventory', () => {
  let scene: ExecutionScene;
  beforeAll(async () => {
    scene = await ExecutionScene.start();
  });
  afterAll(() => scene.close());

  /** What it says now of a repository. */
  async function seen(repository: string) {
    const { tables } = scene.database;
    const tags = await tables.$queryRaw<{ name: string; digest: Digest }[]>`
      SELECT t.name, digest_text(t.digest) AS digest FROM tag t JOIN repository y ON y.id = t.repository_id
      WHERE y.name = ${repository} AND t.gone_at IS NULL ORDER BY t.name`;
    const places = await tables.$queryRaw<{ digest: Digest }[]>`
      SELECT digest_text(digest) AS digest FROM placement WHERE repository = ${repository} AND seen_until IS NULL`;
    return { tags: tags.map(({ name, digest }) => [name, digest]), places: places.map(({ digest }) => digest).sort() };
  }

  it('knows at once which tags went with what was purged, and which name something else', async () => {
    const repository = 'team-a/purged';
    const tags = { [release]: 'leaked', [latest]: 'leaked', '2.0.0': 'newer' };
    await scene.seed({ repository, manifests: { leaked: {}, newer: {} }, tags });
    const { records, lease, leases } = await beginPurge(scene.retention, { repository, digest: named('leaked') });
    await records.intend(named('leaked'), [named('leaked')]);

    await records.settle(named('leaked'));

    expect(await seen(repository)).toEqual({ tags: [['2.0.0', named('newer')]], places: [named('newer')] });
    await leases.finish(lease);
  });

  it('knows at once what came back, with the tags that name it again', async () => {
    const repository = parseRepositoryName('team-a/restored');
    await scene.seed({ repository, manifests: { index: { children: ['child'] }, child: {}, newer: {} }, tags: { [release]: 'index' } });
    const run = await scene.acting([{ repository, manifests: ['index'] }]);
    const records = await scene.toDeleting(run, ['index'], repository);
    const kept = await new RetentionTrash(scene.database).begin({
      ...{
        registryId: scene.registryId,
        repository,
        runId: run.id,
        digest: named('index'),
        mediaType: 'spec',
        manifest: Buffer.from('index'),
      },
      ...{ tags: [release, latest], holds: ['index', 'child'].map(named), refers: [], ttlMs: 3_600_000 },
      trashRepository: parseRepositoryName(`waybill-trash/${repository}`),
    });
    if (kept === 'emptying') throw new Error('it is being emptied');
    await new RetentionTrash(scene.database).kept(kept.id);
    const begun = await records.begin({ digest: named('index'), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: [release] });
    expect((await seen(repository)).tags).toEqual([]);
    const claimed = await scene.retention.claim<TrashRequestRow>();
    const asked = { registry: 'ci', repository, digest: named('index') };
    const request = { id: uuidV7.next(), asked, by: scene.retention.by, reason: 'spec' };
    await new TrashRequests(scene.database).create('restore', request, { ...claimed, find: findRestorable });
    const leases = new TrashRequestLeases(scene.database, { leaseMs: 60_000 });
    const lease = await leases.claimNext('worker');
    if (lease === undefined) throw new Error('the restore was not claimed');

    await leases.settleRestored(lease, kept.id, [
      { tag: release, outcome: 'back' },
      { tag: latest, outcome: 'moved', names: named('newer') },
    ]);

    expect(await seen(repository)).toEqual({ tags: [[release, named('index')]], places: ['index', 'child', 'newer'].map(named).sort() });
    await leases.finish(lease);
  });
});
