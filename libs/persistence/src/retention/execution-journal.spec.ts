import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import type { RepositoryName, Tag } from '@waybill/oci-model';
import { CollectionLeases } from '../collection/collection-leases.js';
import { NotificationHints } from '../registry-notifications/notification-hints.js';
import { NotificationIntake } from '../registry-notifications/notification-intake.js';
import type { Told } from '../registry-notifications/told.js';
import { storedError } from '../run/stored-error.js';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import { type ExecutionStop, executionStop } from './execution-stop.js';
import { named, seedTag } from './inventory-rows.spec-helper.js';
import { RetentionPolicies } from './policies.js';
import { hour, policyNamed } from './retention-scene.spec-helper.js';
import { RetentionRuns } from './runs.js';

const repository = 'team-a/app';
const refused = { code: 'refused', message: 'the registry deletes nothing', operation: 'delete manifest', retryable: true };

describe('a run that acts', () => {
  let scene: ExecutionScene;
  let runs: RetentionRuns;
  let count = 0;
  let old: string;
  let older: string;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
    runs = new RetentionRuns(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    [old, older] = [`old ${++count}`, `older ${count}`];
    await scene.database.tables.$executeRaw`TRUNCATE placement, tag, repository CASCADE`;
    await scene.seed({ repository, manifests: { [old]: {}, [older]: {} }, tags: { '1.0': old, '0.9': older } });
  });
  afterEach(async () => {
    await scene.expire();
    await scene.database.tables.$executeRaw`
      UPDATE retention_mark SET state = 'spared', settled_at = now() WHERE settled_at IS NULL`;
    await scene.database.tables.$executeRaw`
      UPDATE retention_run SET state = 'cancelled', finished_at = now(), lease_expires_at = NULL WHERE finished_at IS NULL`;
  });

  const acting = (change = {}): Promise<ActingRun> => scene.acting([{ manifests: [old, older] }], change);
  const deleting = async (run: ActingRun) => scene.toDeleting(run, [old, older]);

  it('goes from its plan through marks and grace to deletions, and says what came of it', async () => {
    const run = await acting();
    expect(await scene.state(run.id)).toBe('marking');
    expect(await run.journal.repositories('planned', 10)).toEqual([repository]);
    const records = run.journal.of(repository);
    expect(await records.condemned({ after: -1, limit: 1 })).toMatchObject([
      { position: 0, digest: named(old), tag: '', verdict: 'delete', reasons: ['removed-by-rule'], isRead: true },
    ]);
    expect(await records.condemned({ after: 0, limit: 1 })).toMatchObject([{ digest: named(older), tag: '' }]);

    await deleting(run);
    expect(await records.marks()).toEqual([
      { digest: named(old), state: 'marked' },
      { digest: named(older), state: 'marked' },
    ]);
    expect(await records.manifestOf(named(old))).toMatchObject({ digest: named(old), bytes: new Uint8Array(Buffer.from(old)) });
    const begun = await records.begin({ digest: named(old), tag: '' });
    expect(begun).toEqual({ effectId: expect.any(String) });
    expect(await records.begin({ digest: named(old), tag: '' })).toEqual(begun);
    if (typeof begun === 'string') throw new Error(begun);
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: ['1.0' as Tag] });
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: ['1.0' as Tag] });
    expect(await records.begin({ digest: named(old), tag: '' })).toBe('done');
    await records.spare(named(older), { code: 'kept', message: 'a rule keeps it by now' });
    expect(await records.begin({ digest: named(older), tag: '' })).toBe('spared');
    await run.journal.done(repository);

    expect(await run.journal.finish()).toBe('succeeded');
    expect(await scene.retention.run(run.id)).toMatchObject({ state: 'succeeded', deleted: 1, spared: 1, failed: 0, error: null });
    expect(await runs.repositories(run.id, { limit: 10 })).toMatchObject([{ state: 'done', deleted: 1, spared: 1 }]);
    expect(await runs.marks(run.id, { limit: 10 })).toMatchObject([
      { repository, position: 0, digest: named(old), state: 'deleted', reason: null },
      { position: 1, state: 'spared', reason: { code: 'kept' } },
    ]);
    expect(await runs.marks(run.id, { after: { repository, position: 0 }, limit: 10 })).toHaveLength(1);
    expect(await scene.effects(run.id)).toEqual([{ kind: 'deletion', digest: named(old), tag: '', outcome: 'deleted', records: 1 }]);
    const [tag] = await scene.database.tables.$queryRaw<unknown[]>`SELECT gone_at IS NOT NULL AS gone FROM tag WHERE name = '1.0'`;
    expect(tag).toEqual({ gone: true });
    const places = await scene.database.tables.$queryRaw<unknown[]>`
      SELECT digest_text(digest) AS digest FROM placement WHERE seen_until IS NULL`;
    expect(places).toEqual([{ digest: named(older) }]);
  });

  it('marks only what its plan condemns, and nothing that nobody has the bytes of', async () => {
    const run = await acting();
    await run.journal.enter(repository, 'marking');
    await scene.database.tables.$executeRaw`DELETE FROM manifest WHERE raw = ${new Uint8Array(Buffer.from(older))}`;
    const records = run.journal.of(repository);
    await records.mark([{ digest: named(old) }, { digest: named(older) }, { digest: named('kept by the plan') }]);
    await records.mark([{ digest: named(old) }]);

    expect(await records.marks()).toEqual([
      { digest: named(old), state: 'marked' },
      { digest: named(older), state: 'spared' },
    ]);
    expect(await records.manifestOf(named(older))).toBeUndefined();
  });

  it('keeps bytes that it is given', async () => {
    const run = await acting();
    await run.journal.enter(repository, 'marking');
    await scene.database.tables.$executeRaw`DELETE FROM manifest WHERE raw = ${new Uint8Array(Buffer.from(old))}`;
    const records = run.journal.of(repository);
    await records.mark([{ digest: named(old), manifest: { bytes: Buffer.from(old), mediaType: 'application/x' } }]);

    expect(await records.manifestOf(named(old))).toEqual({
      digest: named(old),
      bytes: new Uint8Array(Buffer.from(old)),
      mediaType: 'application/x',
    });
  });

  it('leaves to the run of another policy what that has marked', async () => {
    await deleting(await acting());
    const other = await acting();
    await other.journal.enter(repository, 'marking');
    await other.journal.of(repository).mark([{ digest: named(old) }]);

    expect(await runs.marks(other.id, { limit: 10 })).toMatchObject([{ state: 'spared', reason: { code: 'marked-elsewhere' } }]);
  });

  it('needs no worker while its marks wait, and is claimed when they are due', async () => {
    const run = await acting({ graceMs: hour });
    await run.journal.enter(repository, 'marking');
    await run.journal.of(repository).mark([{ digest: named(old) }]);
    await run.journal.enter(repository, 'grace');
    expect(await run.journal.repositories('grace', 10)).toEqual([]);
    await expect(run.journal.enter(repository, 'deleting')).rejects.toMatchObject({ code: 'grace-not-over', retryable: true });
    await run.journal.rest();

    expect(await scene.retention.leases().claimExecution('early')).toBeUndefined();
    await scene.database.tables.$executeRaw`UPDATE retention_mark SET due_at = now()`;
    await scene.database.tables.$executeRaw`UPDATE retention_run SET resume_at = now() WHERE resume_at IS NOT NULL`;
    const { journal } = await scene.claim('later');
    expect(await scene.state(run.id)).toBe('deleting');
    expect(await journal.repositories('grace', 10)).toEqual([repository]);
  });

  it('ends at once where its plan removes nothing, and waits for nobody', async () => {
    const id = await scene.planned(await scene.enforced(), [{}]);
    expect(await scene.state(id)).toBe('succeeded');
    await expect(runs.approvePlan(id, { by: scene.retention.by })).rejects.toMatchObject({ code: 'plan-not-waiting' });
  });

  it('waits beyond its limits until somebody lets this very plan go', async () => {
    const id = await scene.planned(
      await scene.enforced(),
      [{ manifests: [old] }],
      [{ limit: 'maxDeletePercent', allowed: 20, planned: 50 }],
    );
    expect(await scene.state(id)).toBe('waiting-approval');
    expect(await scene.retention.leases().claimExecution('worker')).toBeUndefined();

    const by = { by: scene.retention.by, reason: 'that is what we want' };
    expect(await runs.approvePlan(id, by)).toMatchObject({ state: 'planned', planApproval: { by: scene.retention.by, reason: by.reason } });
    const again = { by: scene.retention.by, reason: 'the answer was lost' };
    expect(await runs.approvePlan(id, again)).toMatchObject({ state: 'planned', planApproval: { reason: by.reason } });

    expect(await scene.claim()).toMatchObject({ lease: { runId: id } });
    const acts = await scene.database.tables.retentionRecord.findMany({ where: { act: 'plan-approved' } });
    expect(acts).toMatchObject([{ body: { run: id, plan: expect.any(String) }, reason: by.reason }]);
  });

  describe('asks before it marks, and before each deletion, whether it still may', () => {
    const by = { by: '', reason: 'stop' };
    beforeAll(() => {
      by.by = scene.retention.by;
    });

    it.each<[string, string, (run: ActingRun) => Promise<unknown>]>([
      ['the policy is paused', 'policy-paused', ({ policy }) => new RetentionPolicies(scene.database).pause(policy, by)],
      [
        'the approval is revoked',
        'approval-revoked',
        () => scene.database.tables.$executeRaw`
        UPDATE retention_approval SET revoked_at = now(), revoked_by = ${by.by}::uuid WHERE revoked_at IS NULL`,
      ],
      [
        'its words change',
        'policy-changed',
        ({ policy }) => scene.retention.declare([policyNamed(policy, { mode: 'enforce', graceMs: hour })]),
      ],
      ['it only plans by now', 'policy-not-enforced', ({ policy }) => scene.retention.declare([policyNamed(policy, { graceMs: 0 })])],
      ['it leaves the topology', 'policy-retired', () => scene.retention.declare([])],
      [
        'its window is over',
        'window-over',
        ({ id }) => scene.database.tables.$executeRaw`
        UPDATE retention_run SET window_ends_at = now() - interval '1 second' WHERE id = ${id}::uuid`,
      ],
    ])('%s', async (_what, code, change) => {
      const run = await acting();
      const records = await deleting(run);
      await change(run);

      await expect(records.begin({ digest: named(old), tag: '' })).rejects.toMatchObject({ code, retryable: false });
      await expect(run.journal.enter(repository, 'marking')).rejects.toMatchObject({ code });
      await run.journal.enter(repository, 'deleting');
      expect(await scene.effects(run.id)).toEqual([]);

      await run.journal.stop(storedError(executionStop(code as ExecutionStop['code'])));
      expect(await scene.retention.run(run.id)).toMatchObject({
        state: code === 'window-over' ? 'partial' : 'cancelled',
        error: { code },
        spared: 2,
      });
      expect(await runs.marks(run.id, { limit: 10 })).toMatchObject([{ state: 'spared', reason: { code } }, { state: 'spared' }]);
      expect(await runs.repositories(run.id, { limit: 10 })).toMatchObject([{ state: 'failed', error: { code } }]);
    });

    it('rests while the registry is collected, which waits for that', async () => {
      const run = await acting();
      const records = await deleting(run);
      const id = uuidV7.next();
      await scene.database.tables.$executeRaw`
        WITH held AS (
          INSERT INTO pause (id, scope, name, reason, paused_by) VALUES (gen_random_uuid(), 'collection', 'ci', 'spec', ${by.by}::uuid) RETURNING id
        )
        INSERT INTO collection (id, registry_id, requested_by, reason, is_dry_run, state, pause_id, drain_until, lease_expires_at)
        SELECT ${id}::uuid, ${scene.registryId}::uuid, ${by.by}::uuid, 'spec', false, 'draining', id, now() + interval '1 hour', now() + interval '1 hour' FROM held`;
      const collection = {
        id,
        registryId: scene.registryId,
        registry: 'ci',
        isDryRun: false,
        state: 'draining',
        holder: '',
        fence: 0n,
      } as const;
      const leases = new CollectionLeases(scene.database, { leaseMs: hour });
      try {
        await expect(records.begin({ digest: named(old), tag: '' })).rejects.toMatchObject({ code: 'registry-collected', retryable: true });
        expect(await leases.drain(collection)).toBe('waiting');
        await run.journal.rest();
        expect(await scene.retention.leases().claimExecution('worker')).toBeUndefined();
        expect(await leases.drain(collection)).toBe('drained');
      } finally {
        await scene.database.tables.$executeRaw`DELETE FROM collection`;
      }
    });
  });

  describe('under a lost lease', () => {
    it.each<[string, (run: ActingRun, effectId: string) => Promise<unknown>]>([
      ['enter', ({ journal }) => journal.enter(repository, 'deleting')],
      ['done', ({ journal }) => journal.done(repository)],
      ['fail', ({ journal }) => journal.fail(repository, refused)],
      ['rest', ({ journal }) => journal.rest()],
      ['stop', ({ journal }) => journal.stop(refused)],
      ['finish', ({ journal }) => journal.finish()],
      ['mark', ({ journal }) => journal.of(repository).mark([{ digest: named(old) }])],
      ['spare', ({ journal }) => journal.of(repository).spare(named(old), { code: 'kept', message: 'kept' })],
      ['begin', ({ journal }) => journal.of(repository).begin({ digest: named(old), tag: '' })],
      ['settle', ({ journal }, effectId) => journal.of(repository).settle(effectId, { outcome: 'gone', tagsGone: [] })],
      ['archiving', ({ journal }) => journal.of(repository).archiving(scene.registryId, named(old), [])],
      ['archived', ({ journal }) => journal.of(repository).archived(scene.registryId, named(old), [])],
      ['restoring', ({ journal }) => journal.of(repository).restoring(named(old), [])],
      ['restored', ({ journal }) => journal.of(repository).restored(named(old), [])],
    ])('%s writes nothing', async (_name, call) => {
      const run = await acting();
      const records = await deleting(run);
      const begun = await records.begin({ digest: named(older), tag: '' });
      if (typeof begun === 'string') throw new Error(begun);
      await scene.expire();
      const before = await everything(run.id);

      await expect(call(run, begun.effectId)).rejects.toMatchObject({ code: 'lease-lost' });

      expect(await everything(run.id)).toEqual(before);
    });

    async function everything(id: string): Promise<unknown> {
      return [
        await scene.retention.run(id),
        await runs.repositories(id, { limit: 10 }),
        await runs.marks(id, { limit: 10 }),
        await scene.effects(id),
      ];
    }
  });

  it('is taken over in mid-deletion by one of two workers, which reads back what is open', async () => {
    const run = await acting();
    const begun = await (await deleting(run)).begin({ digest: named(old), tag: '' });
    await scene.expire();
    const claims = await Promise.all(['two', 'three'].map((holder) => scene.retention.leases().claimExecution(holder)));
    expect(claims.filter((lease) => lease !== undefined)).toHaveLength(1);
    await scene.expire();
    const { journal } = await scene.claim('four');
    const records = journal.of(repository);

    expect(await journal.repositories('deleting', 10)).toEqual([repository]);
    const [open, ...more] = await records.unsettled();
    expect([open, more]).toEqual([{ digest: named(old), tag: '', effectId: (begun as { effectId: string }).effectId }, []]);
    expect(await records.begin({ digest: named(old), tag: '' })).toEqual(begun);
    await records.spare(named(old), { code: 'kept', message: 'it is there, and kept by now' });

    expect(await records.unsettled()).toEqual([]);
    expect(await records.marks()).toMatchObject([{ state: 'spared' }, { state: 'marked' }]);
    expect(await scene.effects(run.id)).toMatchObject([{ outcome: 'not-deleted', records: 1 }]);
  });

  it('fails one repository for what the registry refuses, and is partial', async () => {
    await scene.seed({ repository: 'team-b/app', manifests: { [`b ${old}`]: {} } });
    const run = await scene.acting([{ manifests: [old, older] }, { repository: 'team-b/app', manifests: [`b ${old}`] }]);
    const records = await scene.toDeleting(run, [old, older]);
    const begun = await records.begin({ digest: named(old), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await records.settle(begun.effectId, { outcome: 'there', reason: refused });
    await run.journal.fail(repository, refused);
    expect(await run.journal.finish()).toBeUndefined();
    await scene.toDeleting(run, [`b ${old}`], 'team-b/app');
    await run.journal.done('team-b/app');

    expect(await run.journal.finish()).toBe('partial');
    expect(await runs.repositories(run.id, { limit: 10 })).toMatchObject([
      { state: 'failed', error: refused, failed: 1, spared: 1 },
      { state: 'done', spared: 1 },
    ]);
    expect(await runs.marks(run.id, { repository, limit: 10 })).toMatchObject([
      { state: 'failed', reason: { code: 'refused' } },
      { state: 'spared', reason: { code: 'refused' } },
    ]);
    expect(await scene.effects(run.id)).toMatchObject([{ outcome: 'not-deleted', records: 1 }]);
  });

  it('does not claim to know what it deleted when it ends over an open deletion', async () => {
    const run = await acting();
    await (await deleting(run)).begin({ digest: named(old), tag: '' });
    await scene.retention.leases().fail(run.lease, refused);

    expect(await scene.retention.run(run.id)).toMatchObject({ state: 'failed', failed: 1, spared: 1, error: refused });
    expect(await scene.effects(run.id)).toMatchObject([{ outcome: 'unknown', records: 1 }]);
    expect(await runs.repositories(run.id, { limit: 10 })).toMatchObject([{ state: 'failed' }]);
  });

  it('is given up when too many workers died over it, and spares its marks', async () => {
    const run = await acting();
    await deleting(run);
    await scene.database.tables.$executeRaw`UPDATE retention_run SET attempts = 5 WHERE id = ${run.id}::uuid`;
    await scene.expire();

    expect(await scene.retention.leases().claimExecution('worker')).toBeUndefined();
    expect(await scene.retention.run(run.id)).toMatchObject({ state: 'failed', error: { code: 'attempts-exhausted' }, spared: 2 });
  });

  it('is cancelled at once before it deletes, and spares its marks', async () => {
    const run = await acting({ graceMs: hour });
    await run.journal.enter(repository, 'marking');
    await run.journal.of(repository).mark([{ digest: named(old) }]);
    const decision = { by: scene.retention.by, reason: 'wrong' };

    expect(await runs.cancel(run.id, decision)).toMatchObject({ state: 'cancelled', spared: 1 });
    expect(await runs.cancel(run.id, decision)).toMatchObject({ state: 'cancelled' });
    await expect(run.journal.rest()).rejects.toMatchObject({ code: 'lease-lost' });
    expect(await runs.marks(run.id, { limit: 10 })).toMatchObject([{ state: 'spared', reason: { code: 'run-cancelled' } }]);
    expect(await scene.database.tables.retentionRecord.count({ where: { act: 'run-cancelled', subject: run.policy } })).toBe(1);
  });

  it('is cancelled amid deletions by whoever runs it, which first settles what is open', async () => {
    const run = await acting();
    const records = await deleting(run);
    await run.journal.rest();
    const { journal } = await scene.claim();
    const again = journal.of(repository);
    const begun = await again.begin({ digest: named(old), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);

    expect(await runs.cancel(run.id, { by: scene.retention.by })).toMatchObject({ state: 'deleting', cancelRequestedAt: expect.any(Date) });
    await again.settle(begun.effectId, { outcome: 'gone', tagsGone: [] });
    await expect(again.begin({ digest: named(older), tag: '' })).rejects.toMatchObject({ code: 'run-cancelled' });
    await expect(records.begin({ digest: named(older), tag: '' })).rejects.toMatchObject({ code: 'lease-lost' });
    await journal.stop(storedError(executionStop('run-cancelled')));

    expect(await scene.retention.run(run.id)).toMatchObject({ state: 'cancelled', deleted: 1, spared: 1 });
  });

  it('takes a tag off and leaves its manifest', async () => {
    const run = await scene.acting([{ untag: { '1.0': old } }]);
    const records = await scene.toDeleting(run, []);
    const target = { digest: named(old), tag: '1.0' as Tag };
    const begun = await records.begin(target);
    if (typeof begun === 'string') throw new Error(begun);
    expect(await records.unsettled()).toEqual([{ ...target, effectId: begun.effectId }]);
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: [] });
    expect(await records.begin(target)).toBe('done');
    await run.journal.done(repository);
    await run.journal.finish();

    expect(await scene.retention.run(run.id)).toMatchObject({ state: 'succeeded', deleted: 1 });
    const rows = await scene.database.tables.$queryRaw<unknown[]>`
      SELECT t.name, t.gone_at IS NOT NULL AS gone FROM tag t JOIN placement p ON p.digest = t.digest AND p.seen_until IS NULL ORDER BY t.name`;
    expect(rows).toEqual([
      { name: '0.9', gone: false },
      { name: '1.0', gone: true },
    ]);
  });

  it('records what it copies to an archive', async () => {
    const run = await acting();
    const records = await deleting(run);
    const { id: prod } = await scene.database.tables.registry.findFirstOrThrow({ where: { name: 'prod' } });
    await records.archiving(prod, named(older), ['0.9' as Tag]);
    await records.archiving(prod, named(old), ['1.0' as Tag]);
    await records.archiving(prod, named(old), ['1.0' as Tag]);
    expect(await records.unsettled()).toEqual([]);
    await records.archived(prod, named(old), ['1.0' as Tag]);
    await records.archived(prod, named(old), ['1.0' as Tag]);
    await run.journal.done(repository);

    expect(await scene.effects(run.id)).toEqual(
      expect.arrayContaining([
        { kind: 'manifest', digest: named(old), tag: '', outcome: 'written', records: 1 },
        { kind: 'tag', digest: named(old), tag: '1.0', outcome: 'written', records: 1 },
        { kind: 'manifest', digest: named(older), tag: '', outcome: 'unknown', records: 1 },
        { kind: 'tag', digest: named(older), tag: '0.9', outcome: 'unknown', records: 1 },
      ]),
    );
    const there = await scene.database.tables.$queryRaw<unknown[]>`
      SELECT digest_text(p.digest) AS digest, t.name AS tag FROM placement p
        JOIN repository y ON y.registry_id = p.registry_id AND y.name = p.repository JOIN tag t ON t.repository_id = y.id AND t.digest = p.digest
      WHERE p.registry_id = ${prod}::uuid AND p.seen_until IS NULL`;
    expect(there).toEqual([{ digest: named(old), tag: '1.0' }]);
  });

  it('brings back what was pushed as it was deleted', async () => {
    const run = await acting();
    const records = await deleting(run);
    const begun = await records.begin({ digest: named(old), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: ['1.0' as Tag] });
    expect(await records.pushedMeanwhile()).toEqual([]);
    await scene.database.tables.$executeRaw`
      INSERT INTO tag_event (registry_id, repository, tag, digest, source)
      SELECT registry_id, repository, '2.0', digest, 'notification' FROM retention_mark WHERE run_id = ${run.id}::uuid AND state = 'deleted'`;
    expect(await records.pushedMeanwhile()).toEqual([{ tag: '2.0', digest: named(old), was: 'pushed' }]);

    await records.restoring(named(old), ['2.0' as Tag]);
    await records.restoring(named(old), ['2.0' as Tag]);
    await records.restored(named(old), ['2.0' as Tag]);
    await records.restored(named(old), ['2.0' as Tag]);

    expect(await records.pushedMeanwhile()).toEqual([]);
    expect(await records.marks()).toMatchObject([{ state: 'restored' }, { state: 'marked' }]);
    expect(await scene.effects(run.id)).toEqual([
      { kind: 'deletion', digest: named(old), tag: '', outcome: 'deleted', records: 1 },
      { kind: 'manifest', digest: named(old), tag: '', outcome: 'written', records: 1 },
      { kind: 'tag', digest: named(old), tag: '2.0', outcome: 'written', records: 1 },
    ]);
    const places = await scene.database.tables.$queryRaw<unknown[]>`SELECT 1 FROM placement WHERE seen_until IS NULL`;
    expect(places).toHaveLength(2);
  });

  it('tells of pushes that the registry told of, whether or not anybody has asked about them yet', async () => {
    const place = { registryId: scene.registryId, location: 'eu', instances: [], heartbeats: [], isIncomplete: false } as const;
    const { tables } = scene.database;
    await tables.$executeRaw`
      INSERT INTO notification_feed (registry_id, location, silence) VALUES (${scene.registryId}::uuid, 'eu', interval '1 minute') ON CONFLICT DO NOTHING`;
    const take = (...told: readonly (Pick<Told, 'what' | 'digest'> & { readonly tag: string })[]) => {
      const all = told.map((one) => ({ ...one, tag: one.tag as Tag, eventId: uuidV7.next(), repository: repository as RepositoryName }));
      return new NotificationIntake(scene.database).take([{ ...place, told: all }]);
    };
    await take({ what: 'pushed', tag: 'before', digest: named(old) });
    const run = await acting();
    const records = await deleting(run);
    const begun = await records.begin({ digest: named(old), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await take({ what: 'pushed', tag: '1.0', digest: named(old) });
    await take({ what: 'pushed', tag: 'told', digest: named(older) }, { what: 'pushed', tag: 'told', digest: named(old) });
    await take({ what: 'pushed', tag: 'removed', digest: named(old) });
    await take({ what: 'deleted', tag: 'removed' });
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: ['1.0' as Tag] });
    const lost = [
      { tag: '1.0', digest: named(old), was: 'pushed' },
      { tag: 'told', digest: named(old), was: 'pushed' },
    ];

    expect(await records.pushedMeanwhile()).toEqual(lost);

    await tables.$executeRaw`UPDATE notification_hint SET due_at = now()`;
    const hints = new NotificationHints(scene.database, { leaseMs: 60_000 });
    const claimed = await hints.claim('all');
    if (claimed === undefined) throw new Error('nothing is due');
    const look = await hints.beginLook(claimed);
    const digests = new Map(look.digests.map((digest) => [digest, digest === named(older)]));
    await hints.settle(claimed, look, { tags: new Map(look.tags.map((tag) => [tag, undefined])), digests });

    expect(await tables.notificationHint.count()).toBe(0);
    expect(await records.pushedMeanwhile()).toEqual(lost);
  });

  it('tells which tags looks have missed since the first deletion, and gives them back', async () => {
    const place = { registryId: scene.registryId, repository } as const;
    const stay = `stay ${count}`;
    await scene.database.tables.$executeRaw`TRUNCATE placement, tag, repository CASCADE`;
    const tags = { '1.0': old, '0.9': older, before: stay, moved: stay, removed: stay };
    await scene.seed({ repository, manifests: { [old]: {}, [older]: {}, [stay]: {} }, tags });
    const run = await acting();
    const records = await deleting(run);
    await seedTag(scene.database, { ...place, tag: 'before', at: new Date(Date.now() - hour), source: 'crawl' });
    const begun = await records.begin({ digest: named(old), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: [] });
    for (const [tag, source] of [
      ['1.0', 'crawl'],
      ['0.9', 'crawl'],
      ['moved', 'crawl'],
      ['removed', 'notification'],
    ] as const) {
      await seedTag(scene.database, { ...place, tag, at: new Date(Date.now() + 1_000), source });
    }

    expect(await records.pushedMeanwhile()).toEqual([{ tag: 'moved', digest: named(stay), was: 'there' }]);

    await records.restoring(named(stay), ['moved' as Tag]);
    await records.restored(named(stay), ['moved' as Tag]);

    expect(await records.pushedMeanwhile()).toEqual([]);
    expect(await scene.effects(run.id)).toEqual([
      { kind: 'deletion', digest: named(old), tag: '', outcome: 'deleted', records: 1 },
      { kind: 'tag', digest: named(stay), tag: 'moved', outcome: 'written', records: 1 },
    ]);
  });
});
