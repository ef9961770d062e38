import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { parseRepositoryName, parseTag, type RepositoryName } from '@waybill/oci-model';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import { findRestorable } from './find-restorable.js';
import { named } from './inventory-rows.spec-helper.js';
import { RetentionTrash } from './trash.js';
import { TrashRequestLeases } from './trash-request-leases.js';
import { type TrashRequestRow, TrashRequests } from './trash-requests.js';

describe('a restore and a run that condemns what it needs', () => {
  let scene: ExecutionScene;
  let repository: RepositoryName;
  let count = 0;
  const names = () => [`index ${count}`, `child ${count}`] as const;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
  });
  afterAll(() => scene.close());
  afterEach(async () => {
    const leases = new TrashRequestLeases(scene.database, { leaseMs: 60_000 });
    const lease = await leases.claimNext('spec');
    if (lease !== undefined) await leases.finish(lease);
  });

  /** A run has deleted an index and left what it lists; another one condemns that. */
  async function leftOver(): Promise<ActingRun> {
    repository = parseRepositoryName(`team-a/restored-${++count}`);
    const [index, child] = names();
    await scene.seed({ repository, manifests: { [index]: { children: [child] }, [child]: {} }, tags: { '1.0.0': index } });
    const run = await scene.acting([{ repository, manifests: [index] }]);
    const records = await scene.toDeleting(run, [index], repository);
    const trash = new RetentionTrash(scene.database);
    const begun = await trash.begin({
      ...{ registryId: scene.registryId, repository, runId: run.id, digest: named(index), mediaType: 'spec', manifest: Buffer.from(index) },
      ...{ tags: [parseTag('1.0.0')], holds: [index, child].map(named), refers: [], ttlMs: 3_600_000 },
      trashRepository: parseRepositoryName(`waybill-trash/${repository}`),
    });
    if (begun === 'emptying') throw new Error('it is being emptied');
    await trash.kept(begun.id);
    const deletion = await records.begin({ digest: named(index), tag: '' });
    if (typeof deletion === 'string') throw new Error(deletion);
    await records.settle(deletion.effectId, { outcome: 'gone', tagsGone: [parseTag('1.0.0')] });
    await run.journal.done(repository);
    await run.journal.finish();
    return scene.acting([{ repository, manifests: [child] }]);
  }

  async function restore(): Promise<string> {
    const claimed = await scene.retention.claim<TrashRequestRow>();
    const asked = { registry: 'ci', repository, digest: named(names()[0]) };
    const request = { id: uuidV7.next(), asked, by: scene.retention.by, reason: 'spec' };
    await new TrashRequests(scene.database).create('restore', request, { ...claimed, find: findRestorable });
    return request.id;
  }

  async function end({ journal }: ActingRun): Promise<void> {
    await journal.fail(repository, { code: 'spec', message: 'over', operation: 'spec', retryable: true });
    await journal.finish();
  }

  it('spares it that was marked', async () => {
    const run = await leftOver();
    const child = named(names()[1]);
    const records = await scene.toDeleting(run, [names()[1]], repository);

    await restore();

    expect(await records.marks()).toEqual([{ digest: child, state: 'spared' }]);
    expect(await records.begin({ digest: child, tag: '' })).toBe('spared');
    await end(run);
  });

  it('has it not marked while the restore is under way', async () => {
    const run = await leftOver();
    await restore();

    const records = await scene.toDeleting(run, [names()[1]], repository);

    expect(await records.marks()).toEqual([{ digest: named(names()[1]), state: 'spared' }]);
    await end(run);
  });

  it('is refused while it is being deleted, and accepted once it is known what became of that', async () => {
    const run = await leftOver();
    const child = named(names()[1]);
    const records = await scene.toDeleting(run, [names()[1]], repository);
    const deletion = await records.begin({ digest: child, tag: '' });
    if (typeof deletion === 'string') throw new Error(deletion);

    await expect(restore()).rejects.toMatchObject({ code: 'being-deleted', message: expect.stringContaining(child) });

    await records.settle(deletion.effectId, { outcome: 'gone', tagsGone: [] });
    await expect(restore()).resolves.toEqual(expect.any(String));
    await end(run);
  });
});
