import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { parseRepositoryName, parseTag, type RepositoryName, trashRepositoryOf } from '@waybill/oci-model';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import type { ExecutionRecordsStore } from './execution-records.js';
import { findRestorable } from './find-restorable.js';
import { named } from './inventory-rows.spec-helper.js';
import { RetentionTrash } from './trash.js';
import { type AskedOfTrash, type TrashRequestRow, TrashRequests } from './trash-requests.js';
import { TrashRows } from './trash-rows.js';

const trouble = { code: 'unavailable', message: 'the registry is starting', operation: 'delete manifest', retryable: true };
const tag = parseTag('1.0');

describe('the trash of what a run deletes', () => {
  let scene: ExecutionScene;
  let repository: RepositoryName;
  let count = 0;
  let run: ActingRun;
  let records: ExecutionRecordsStore;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    repository = parseRepositoryName(`team-a/app-${++count}`);
    await scene.seed({ repository, manifests: { old: {}, other: {} }, tags: { '1.0': 'old' } });
    [run, records] = await deletingOf(['old', 'other']);
  });
  afterEach(async () => {
    await scene.expire();
    await scene.database.tables.$executeRaw`UPDATE retention_mark SET state = 'spared', settled_at = now() WHERE settled_at IS NULL`;
    await scene.database.tables.$executeRaw`
      UPDATE retention_run SET state = 'cancelled', finished_at = now(), lease_expires_at = NULL WHERE finished_at IS NULL`;
  });

  /** A run that is about to delete these, each held in the trash. */
  async function deletingOf(names: readonly string[]): Promise<[ActingRun, ExecutionRecordsStore]> {
    const acting = await scene.acting([{ repository, manifests: names }]);
    const deleting = await scene.toDeleting(acting, names, repository);
    for (const name of names) await keep(acting.id, name);
    return [acting, deleting];
  }

  async function keep(runId: string, name: string): Promise<void> {
    const trash = new RetentionTrash(scene.database);
    const begun = await trash.begin({
      ...{ registryId: scene.registryId, repository, runId, digest: named(name), mediaType: 'spec', manifest: Buffer.from(name) },
      ...{ tags: [tag], holds: [named(name)], refers: [], trashRepository: trashRepositoryOf(repository), ttlMs: 3_600_000 },
    });
    if (begun === 'emptying') throw new Error('it is being emptied');
    await trash.kept(begun.id);
  }

  async function beginOf(of: ExecutionRecordsStore, name: string): Promise<string> {
    const begun = await of.begin({ digest: named(name), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    return begun.effectId;
  }

  const begin = () => beginOf(records, 'old');

  async function restore(asked: Partial<AskedOfTrash> = { digest: named('old') }): Promise<TrashRequestRow> {
    const claimed = await scene.retention.claim<TrashRequestRow>();
    const request = { id: uuidV7.next(), asked: { registry: 'ci', repository, ...asked }, by: scene.retention.by, reason: 'spec' };
    await new TrashRequests(scene.database).create('restore', request, { ...claimed, find: findRestorable });
    return claimed.done();
  }

  const shown = async () =>
    (await new TrashRows(scene.database).list({ repository, limit: 10, isHistory: false })).map(({ digest }) => digest);

  it.each<[string, () => Promise<unknown>]>([
    [
      'the registry could not say what became of its deletion',
      async () => {
        await records.settle(await begin(), { outcome: 'unknown', reason: trouble });
        await run.journal.fail(repository, trouble);
      },
    ],
    [
      'the registry refused its deletion, and may have carried it out later',
      async () => {
        await records.settle(await begin(), { outcome: 'there', reason: trouble });
        await run.journal.fail(repository, trouble);
      },
    ],
    [
      'too many workers died over its deletion',
      async () => {
        await begin();
        await scene.database.tables.$executeRaw`UPDATE retention_run SET attempts = 5 WHERE id = ${run.id}::uuid`;
        await scene.expire();
        await scene.retention.leases().claimExecution('nobody');
      },
    ],
    [
      'its run was ended amid its deletion',
      async () => {
        await begin();
        await scene.retention.leases().fail(run.lease, trouble);
      },
    ],
  ])('can be brought back where %s', async (_why, goesWrong) => {
    await goesWrong();

    expect(await shown()).toEqual([named('old')]);
    expect(await restore()).toMatchObject({ open: 1 });
  });

  it.each<[string, (next: ExecutionRecordsStore) => Promise<void>]>([
    ['was spared', (next) => next.spare(named('other'), { code: 'kept', message: 'a rule keeps it by now' })],
    [
      'the registry refused to delete',
      async (next) => next.settle(await beginOf(next, 'other'), { outcome: 'there', reason: { ...trouble, code: 'unsupported' } }),
    ],
  ])('is meant by a tag where it was deleted, whatever the tag named since that %s', async (_what, goesOn) => {
    await records.settle(await begin(), { outcome: 'gone', tagsGone: [tag] });
    await run.journal.done(repository);
    await run.journal.finish();
    const [, next] = await deletingOf(['other']);
    await goesOn(next);

    expect(await restore({ tag })).toMatchObject({ open: 1 });

    const items = await scene.database.tables.$queryRaw<unknown[]>`
      SELECT digest_text(digest) AS digest FROM retention_request_item WHERE repository = ${repository}`;
    expect(items).toEqual([{ digest: named('old') }]);
  });

  it('is meant by a tag where nothing else that was deleted had it, though the registry refused to delete it', async () => {
    await records.settle(await begin(), { outcome: 'there', reason: trouble });
    await run.journal.fail(repository, trouble);

    expect(await restore({ tag })).toMatchObject({ open: 1 });
  });

  it('is emptied when its period is over since it was deleted, however long that took', async () => {
    const trash = new RetentionTrash(scene.database);
    await scene.database.tables.$executeRaw`
      UPDATE retention_trash SET deleted_at = deleted_at - interval '2 hours', expires_at = expires_at - interval '2 hours'
      WHERE run_id = ${run.id}::uuid`;
    expect(await trash.claimLeaving('spec', 60_000)).toBeUndefined();

    await records.settle(await begin(), { outcome: 'gone', tagsGone: [tag] });
    await records.spare(named('other'), { code: 'kept', message: 'a rule keeps it by now' });

    expect(await trash.claimLeaving('spec', 60_000)).toMatchObject({ manifests: [named('other')] });
    expect(await trash.claimLeaving('spec', 60_000)).toBeUndefined();
    expect(await shown()).toEqual([named('old')]);
    await scene.database.tables.$executeRaw`UPDATE retention_trash SET expires_at = now() WHERE run_id = ${run.id}::uuid`;
    expect(await trash.claimLeaving('spec', 60_000)).toMatchObject({ manifests: [named('old')] });
  });

  it('is emptied when its period is over since the end of a run that left its deletion unsettled', async () => {
    const trash = new RetentionTrash(scene.database);
    await begin();
    await scene.database.tables.$executeRaw`
      UPDATE retention_trash SET deleted_at = deleted_at - interval '2 hours', expires_at = expires_at - interval '2 hours'
      WHERE run_id = ${run.id}::uuid`;

    await scene.retention.leases().fail(run.lease, trouble);

    expect(await trash.claimLeaving('spec', 60_000)).toMatchObject({ manifests: [named('other')] });
    expect(await trash.claimLeaving('spec', 60_000)).toBeUndefined();
    expect(await shown()).toEqual([named('old')]);
  });

  it('is not what is just being deleted, nor what has its turn yet to come', async () => {
    await begin();

    expect(await shown()).toEqual([]);
    await expect(restore()).rejects.toMatchObject({ code: 'not-in-trash' });
  });
});
