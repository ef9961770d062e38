import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { verifyChain } from '@waybill/provenance';
import { ArtifactReadModel } from '../artifacts/artifact.read-model.js';
import { ProvenanceChain } from '../provenance/provenance-chain.js';
import { OpenEffects } from '../reconcile/open-effects.js';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import { named, seedTag } from './inventory-rows.spec-helper.js';

const repository = 'team-a/app';
const digest = named('the old build');

describe('a deletion', () => {
  let scene: ExecutionScene;
  let run: ActingRun;
  let promotionId: string;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
    promotionId = await scene.retention.scene.request();
    await scene.seed({ repository, manifests: { 'the old build': {}, another: {} }, tags: { '1.0': 'the old build' } });
    run = await scene.acting([{ manifests: ['the old build', 'another'], archiveTo: ['archive'] }]);
    const records = await scene.toDeleting(run, ['the old build', 'another']);
    const begun = await records.begin({ digest, tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: ['1.0' as Tag] });
    await records.begin({ digest: named('another'), tag: '' });
  });
  afterAll(() => scene.close());

  it('is shown where the digest was, with the run, its policy and the approval', async () => {
    const approval = await scene.database.tables.retentionApproval.findFirstOrThrow({ where: { policy: run.policy } });
    const [place, ...more] = await new ArtifactReadModel(scene.database).places(digest, { limit: 10 });

    expect([place, more]).toMatchObject([
      {
        ...{ registryId: scene.registryId, repository, until: expect.any(Date), promotionId: undefined },
        deletion: { at: expect.any(Date), runId: run.id, policy: run.policy, approvalId: approval.id },
      },
      [],
    ]);
    const [still] = await new ArtifactReadModel(scene.database).places(named('another'), { limit: 10 });
    expect(still).toMatchObject({ until: undefined, deletion: undefined });
  });

  it('is in the chain, beside what promotions did, and the chain holds', async () => {
    const chain = new ProvenanceChain(scene.database);
    expect(await chain.linkPending()).toBeGreaterThan(1);
    const linked = await chain.links({ after: 0n, limit: 100 });
    const entries = linked.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }]));

    expect(verifyChain(entries)).toEqual({ intact: true, links: linked.length });
    expect(entries[0]?.record).toMatchObject({ promotionId, kind: 'decision' });
    const [{ record } = { record: undefined }] = await chain.about(digest, { after: 0n, limit: 10 });
    expect(record).toMatchObject({
      ...{ kind: 'effect', retentionRunId: run.id, subject: digest },
      body: {
        ...{ effect: 'deletion', outcome: 'deleted', registry: 'ci', repository, tags: ['1.0'], policy: run.policy },
        ...{
          approval: expect.any(String),
          reasons: [{ code: 'removed-by-rule', rule: 'old' }],
          archivedTo: ['archive'],
          policyHash: expect.any(String),
          planHash: expect.any(String),
        },
      },
    });
    expect(record).not.toHaveProperty('promotionId');
    const forged = entries.map((entry) =>
      entry.record.retentionRunId === undefined ? entry : { ...entry, record: { ...entry.record, retentionRunId: promotionId } },
    );
    expect(verifyChain(forged)).toMatchObject({ intact: false, reason: 'hash' });
  });

  it('is left to its run while it is open', async () => {
    const effects = new OpenEffects(scene.database);
    expect(await effects.claim('all')).toEqual([]);
    expect(await effects.settleUnreadable()).toBe(0);
    expect(await run.journal.of(repository).unsettled()).toHaveLength(1);
  });

  it('belongs to a run or to a promotion, never to both or none', async () => {
    const { tables } = scene.database;
    const [effect] = await tables.$queryRaw<{ id: string }[]>`SELECT id FROM effect WHERE retention_run_id = ${run.id}::uuid LIMIT 1`;
    await expect(tables.$executeRaw`UPDATE effect SET promotion_id = ${promotionId}::uuid WHERE id = ${effect?.id}::uuid`).rejects.toThrow(
      /effect_owner_check/,
    );
    await expect(tables.$executeRaw`UPDATE effect SET retention_run_id = NULL WHERE id = ${effect?.id}::uuid`).rejects.toThrow(
      /effect_owner_check/,
    );
    await expect(tables.$executeRaw`INSERT INTO provenance_record (kind, subject, body) VALUES ('decision', '', '{}')`).rejects.toThrow(
      /provenance_record_owner_check/,
    );
    await expect(tables.$executeRaw`UPDATE effect SET outcome = 'written' WHERE id = ${effect?.id}::uuid`).rejects.toThrow(
      /effect_deletion_check/,
    );
  });

  it('is no longer shown once the digest was seen there again', async () => {
    await seedTag(scene.database, {
      registryId: scene.registryId,
      repository,
      tag: '1.0',
      name: 'the old build',
      at: new Date(),
      source: 'crawl',
    });
    await scene.database.tables.$executeRaw`
      INSERT INTO placement (registry_id, repository, digest, seen_by) SELECT registry_id, repository, digest, run_id FROM retention_mark
      WHERE run_id = ${run.id}::uuid AND state = 'deleted'`;
    const [place] = await new ArtifactReadModel(scene.database).places(digest, { limit: 10 });
    expect(place).toMatchObject({ until: undefined, deletion: undefined });
  });
});
