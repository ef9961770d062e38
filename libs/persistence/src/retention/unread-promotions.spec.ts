import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { descriptorOf, type Digest, mediaType, parseTag } from '@waybill/oci-model';
import { manifestNamed, type OpenRun, type Scene } from '../scene.spec-helper.js';
import type { ExecutionRecordsStore } from './execution-records.js';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import { named } from './inventory-rows.spec-helper.js';
import { beginPurge } from './purge-scene.spec-helper.js';

const bytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };
const place = { registry: 'prod-b', repository: 'team-a/app' } as const;

describe('a promotion of what nobody has read, and who deletes something beneath it', () => {
  let scene: ExecutionScene;
  let promotions: Scene;
  let count = 0;
  let run: ActingRun | undefined;
  beforeAll(async () => {
    scene = await ExecutionScene.start();
    promotions = scene.retention.scene;
  });
  afterAll(() => scene.close());
  afterEach(async () => {
    if (run !== undefined) await run.journal.stop({ code: 'spec', message: 'over', operation: 'spec', retryable: false });
    run = undefined;
    await scene.database.tables.$executeRaw`UPDATE item_target SET state = 'done', outcome = 'failed' WHERE state <> 'done'`;
    await scene.database.tables.$executeRaw`TRUNCATE placement, tag, repository CASCADE`;
    await promotions.takeMessages();
  });

  /** A run at the target that has marked something shared, of which nobody knows that an index lists it. */
  async function marked(): Promise<ExecutionRecordsStore> {
    await scene.seed({ repository: place.repository, manifests: { [shared()]: {} }, tags: { old: shared() } });
    run = await scene.acting([{ manifests: [shared()] }]);
    const { tables } = scene.database;
    await tables.$executeRaw`UPDATE retention_run SET registry_id = (SELECT id FROM registry WHERE name = 'prod-b') WHERE id = ${run.id}::uuid`;
    await tables.$executeRaw`
      UPDATE retention_schedule SET registry_id = (SELECT id FROM registry WHERE name = 'prod-b') WHERE policy = ${run.policy}`;
    return scene.toDeleting(run, [shared()]);
  }

  const shared = () => `shared ${count}`;
  const index = () => manifestNamed(`index ${count}`);

  /** A promotion that has found the shared manifest at its target, and read all of it back. */
  async function promoted(): Promise<OpenRun & { readonly settle: () => Promise<void> }> {
    const id = await promotions.request({ targets: ['prod-b'], manifest: index(), tags: [parseTag(`n-${count}`)] });
    const opened = await promotions.open(await promotions.messageOf(id));
    const { journal, target } = opened;
    await journal.beginAttempt([target]);
    await journal.recordCopy(target, 'copied', bytes);
    const child = { digest: named(shared()), size: 7, mediaType: mediaType.ociManifest };
    const manifests = [
      { descriptor: descriptorOf(index()), children: [child] },
      { descriptor: child, children: [] },
    ];
    return { ...opened, settle: () => journal.settleContent(target, { manifests }) };
  }

  async function begin(records: ExecutionRecordsStore): Promise<string> {
    const begun = await records.begin({ digest: named(shared()), tag: '' });
    if (typeof begun === 'string') throw new Error(`its deletion is ${begun}`);
    return begun.effectId;
  }

  const refusal = (digest: Digest) => ({ code: 'being-deleted', retryable: true, details: { ...place, digest } });

  it('is not taken for verified while a run deletes that, nor when it has', async () => {
    count += 1;
    const records = await marked();
    const { settle, target } = await promoted();
    const effectId = await begin(records);
    await expect(settle()).rejects.toMatchObject(refusal(named(shared())));

    await records.settle(effectId, { outcome: 'gone', tagsGone: [] });

    await expect(settle()).rejects.toMatchObject(refusal(named(shared())));
    const { state } = await scene.database.tables.itemTarget.findUniqueOrThrow({ where: { id: target.id } });
    expect(state).toBe('verifying');
  });

  it('is verified where that was gone before the attempt began, and came with it', async () => {
    count += 1;
    const records = await marked();
    await records.settle(await begin(records), { outcome: 'gone', tagsGone: [] });

    await expect((await promoted()).settle()).resolves.toBeUndefined();
  });

  it('keeps what it was found to need', async () => {
    count += 1;
    const records = await marked();
    await (await promoted()).settle();

    expect(await records.begin({ digest: named(shared()), tag: '' })).toBe('spared');
  });

  it('is not taken for verified while a purge deletes that, nor when it has', async () => {
    count += 1;
    const { settle } = await promoted();
    const { records, lease, leases } = await beginPurge(scene.retention, { ...place, digest: named(shared()) });
    await records.intend(named(shared()), [named(shared())]);
    await expect(settle()).rejects.toMatchObject(refusal(named(shared())));

    await records.settle(named(shared()));

    await expect(settle()).rejects.toMatchObject(refusal(named(shared())));
    await leases.finish(lease);
  });

  it('keeps what it was found to need from a purge', async () => {
    count += 1;
    const { settle } = await promoted();
    const { records, lease, leases } = await beginPurge(scene.retention, { ...place, digest: named(shared()) });
    await settle();

    expect(await records.intend(named(shared()), [named(shared())])).toEqual({ kind: 'listed', by: index().digest });
    await leases.finish(lease);
  });
});
