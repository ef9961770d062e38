import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { digestOf, type RepositoryName, type Tag } from '@waybill/oci-model';
import pg from 'pg';
import { IdempotencyKeys } from './access/idempotency-keys.js';
import { cancelledAmong } from './control/cancelled-among.js';
import { HeldTargets } from './control/held-targets.js';
import { Pauses } from './control/pauses.js';
import { ArtifactReadModel, type Place } from './artifacts/artifact.read-model.js';
import { readSystemState } from './metrics/system-state.js';
import { EventLog } from './events/event-log.js';
import type { PromotionFilter } from './promotions/promotion-filter.js';
import { PromotionReadModel } from './promotions/promotion.read-model.js';
import { ProvenanceChain } from './provenance/provenance-chain.js';
import { Leftovers } from './reconcile/leftovers.js';
import { OpenEffects } from './reconcile/open-effects.js';
import { ExecutionJournal } from './retention/execution-journal.js';
import { RetentionLeases } from './retention/run-leases.js';
import { RetentionRuns } from './retention/runs.js';
import { Outbox } from './run/outbox.js';
import { image, MemoryCopier, Scene } from './scene.spec-helper.js';

/** Enough that reading an index is far cheaper than reading the table. */
const rows = 40_000;

/** The tables that grow with use; the others are as large as the topology. */
const growing = [
  'promotion',
  'promotion_term',
  'promotion_item',
  'item_target',
  'item_target_tag',
  'tag_order',
  'dispatch',
  'effect',
  'provenance_record',
  'provenance_chain',
  'content',
  'content_edge',
  'placement',
  'tag_event',
  'idempotency_key',
  'promotion_cancellation',
  'pause',
  'event',
  'retention_mark',
  'retention_decision',
];

/** One that deletes, with a lease that holds. */
const actingRun = '018f0000-0000-7000-8000-000000000000';

/** Promotions that have ended, each with all that hangs on one; and a run with as many decisions. As the superuser, without triggers. */
const grow = `
  SET session_replication_role = replica;
  CREATE TEMPORARY TABLE seed AS SELECT n, gen_random_uuid() AS promotion, gen_random_uuid() AS item, gen_random_uuid() AS target,
    gen_random_uuid() AS effect, sha256(n::text::bytea) AS digest FROM generate_series(1, ${rows}) AS n;
  INSERT INTO promotion (id, path, revision, state, requested_by, intent, intent_hash, estimate, finished_at)
    SELECT promotion, 'release', 1, 'succeeded', p.id, '{}', digest, '{}', now() FROM seed, principal p;
  INSERT INTO promotion_item (id, promotion_id, position, source_registry_id, source_repository, digest, media_type)
    SELECT item, promotion, 0, r.id, 'team-a/app', digest, 'application/json' FROM seed, registry r WHERE r.name = 'ci';
  INSERT INTO promotion_term (kind, term, promotion_id)
    SELECT 'repository', 'team-a/app', promotion FROM seed UNION ALL SELECT 'digest', digest_text(digest), promotion FROM seed
    UNION ALL SELECT 'tag', n::text, promotion FROM seed UNION ALL SELECT 'tag', 'latest', promotion FROM seed;
  INSERT INTO item_target (id, promotion_id, item_id, registry_id, location, repository, requirement, state, outcome)
    SELECT target, promotion, item, r.id, 'eu', 'team-a/app', 'required', 'done', 'copied' FROM seed, registry r WHERE r.name = 'prod';
  INSERT INTO tag_order (registry_id, repository, tag, last_ticket, written_ticket)
    SELECT r.id, 'team-a/app', n::text, 1, 1 FROM seed, registry r WHERE r.name = 'prod';
  INSERT INTO item_target_tag (item_target_id, tag, ticket, expected, expected_order) SELECT target, n::text, 1, 'absent', n FROM seed;
  INSERT INTO dispatch (promotion_id, location, number, state) SELECT promotion, 'eu', 1, 'finished' FROM seed;
  INSERT INTO effect (id, promotion_id, item_target_id, kind, registry_id, repository, digest, state, outcome)
    SELECT effect, promotion, target, 'manifest', r.id, 'team-a/app', digest, 'settled', 'written' FROM seed, registry r WHERE r.name = 'prod';
  INSERT INTO provenance_record (id, kind, promotion_id, subject, effect_id, body) OVERRIDING SYSTEM VALUE
    SELECT -n, 'effect', promotion, digest, effect, '{}' FROM seed;
  INSERT INTO provenance_chain (sequence, record_id, previous_hash, hash) SELECT n, -n, digest, digest FROM seed;
  INSERT INTO content (digest, media_type, size) SELECT digest, 'application/json', n FROM seed;
  INSERT INTO content_edge (parent, child, kind) SELECT digest, digest, 'child' FROM seed;
  INSERT INTO placement (registry_id, repository, digest, seen_by)
    SELECT r.id, 'team-a/app', digest, target FROM seed, registry r WHERE r.name = 'prod';
  INSERT INTO tag_event (registry_id, repository, tag, digest)
    SELECT r.id, 'team-a/app', n::text, digest FROM seed, registry r WHERE r.name = 'prod';
  INSERT INTO idempotency_key (principal_id, route, key, request_hash, claim_token, claim_expires_at, claim_order, expires_at)
    SELECT p.id, 'POST /promotions', n::text, digest, effect, now(), n, now() + interval '1 day' FROM seed, principal p;
  INSERT INTO promotion_cancellation (promotion_id, requested_by) SELECT promotion, p.id FROM seed, principal p;
  INSERT INTO pause (id, scope, name, reason, paused_by, resumed_by, resumed_at)
    SELECT gen_random_uuid(), 'path', 'release', 'freeze', p.id, p.id, now() FROM seed, principal p;
  INSERT INTO event (promotion_id, kind, body) SELECT promotion, 'promotion', '{}' FROM seed;
  INSERT INTO retention_schedule (policy, registry_id, revision, policy_hash, snapshot)
    SELECT 'old', r.id, 1, '', '{"mode": "enforce", "graceMs": 0}' FROM registry r WHERE r.name = 'ci';
  INSERT INTO retention_approval (id, policy, registry_id, policy_hash, snapshot, run_id, reason, approved_by)
    SELECT '${actingRun}', 'old', r.id, '', '{}', '${actingRun}', 'looked at it', p.id FROM registry r, principal p WHERE r.name = 'ci';
  INSERT INTO retention_run (id, policy, registry_id, revision, policy_hash, snapshot, trigger, mode, state, approval_id, lease_fence, lease_expires_at)
    SELECT '${actingRun}', policy, registry_id, 1, '', snapshot, 'schedule', 'enforce', 'deleting', '${actingRun}', 1, now() + interval '1 hour'
    FROM retention_schedule;
  INSERT INTO retention_decision (run_id, repository, position, digest, verdict, reasons, bytes)
    SELECT '${actingRun}', 'team-a/app', n, digest, 'delete', '[]', 7 FROM seed;
  INSERT INTO retention_mark (registry_id, repository, digest, run_id, position, media_type, manifest, due_at, state, settled_at)
    SELECT u.registry_id, 'team-a/app', digest, u.id, n, 'application/json', 'x', now(), CASE n WHEN 7 THEN 'marked' ELSE 'spared' END,
      CASE WHEN n <> 7 THEN now() END
    FROM seed, retention_run u;
  ANALYZE;`;

describe(`statements on tables of ${rows} rows`, () => {
  let scene: Scene;
  let admin: pg.Client;

  beforeAll(async () => {
    // One connection, so that what it has counted can be asked of it.
    scene = await Scene.start({ maxConnections: 1 });
    admin = new pg.Client({ connectionString: scene.server.adminUrl });
    await admin.connect();
    await admin.query(grow);
  }, 120_000);

  afterAll(async () => {
    await admin.end();
    await scene.close();
  });

  /** Rows read one after the other from growing tables, by table. */
  async function scannedBy(work: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await scanned();
    await work();
    const after = await scanned();
    return Object.fromEntries(
      Object.entries(after).flatMap(([table, count]) => (count > (before[table] ?? 0) ? [[table, count - (before[table] ?? 0)]] : [])),
    );
  }

  async function scanned(): Promise<Record<string, number>> {
    await scene.database.tables.$executeRaw`SELECT pg_stat_force_next_flush()`;
    await scene.database.ping();
    const { rows: counts } = await admin.query<{ relname: string; read: string }>(
      `SELECT relname, seq_tup_read::text AS read FROM pg_stat_user_tables WHERE relname = ANY($1)`,
      [growing],
    );
    return Object.fromEntries(counts.map(({ relname, read }) => [relname, Number(read)]));
  }

  it('are seen here when they read a table from end to end', async () => {
    expect(await scannedBy(() => scene.database.tables.$queryRaw`SELECT count(*) FROM dispatch WHERE state = 'parked'`)).toEqual({
      dispatch: rows,
    });
  });

  it('read no growing table so for a promotion from request to its end, with its replica', async () => {
    const read = await scannedBy(async () => {
      const copier = new MemoryCopier();
      const id = await scene.request({ tags: ['1.0.0', 'latest'] as Tag[] });
      for (const message of (await scene.takeMessages()).reverse()) await scene.run(message, copier);
      await scene.run(await scene.messageOf(id, 'us'), copier);
      expect((await scene.promotion(id)).items[0]?.targets.map(({ outcome }) => outcome)).toEqual(['copied', 'copied']);
    });

    expect(read).toEqual({});
  });

  const [path, state, tag, repository] = ['release', 'succeeded', 'latest', 'team-a/app'] as const;
  const requestedBefore = new Date();
  const requestedAfter = new Date(Date.UTC(2020, 0));
  it.each<[string, () => PromotionFilter]>([
    ['nothing', () => ({})],
    ['a state', () => ({ state })],
    ['a state that none is in', () => ({ state: 'waiting' })],
    ['a path', () => ({ path })],
    ['a path that is none', () => ({ path: 'elsewhere' })],
    ['a repository', () => ({ repository })],
    ['a repository that is none', () => ({ repository: 'team-b/app' })],
    ['a digest', () => ({ digest: image.digest })],
    ['a tag', () => ({ tag })],
    ['a tag of one', () => ({ tag: '7' })],
    ['a principal', () => ({ requestedBy: scene.principalId })],
    ['a principal who asked for nothing', () => ({ requestedBy: uuidV7.next() })],
    ['a time', () => ({ requestedAfter, requestedBefore })],
    ['a time at which nothing was', () => ({ requestedBefore: requestedAfter })],
    ['state and path', () => ({ state: 'failed', path })],
    ['state and repository', () => ({ state: 'failed', repository })],
    ['state and time', () => ({ state, requestedAfter })],
    ['state and principal', () => ({ state: 'failed', requestedBy: scene.principalId })],
    ['path and repository', () => ({ path, repository })],
    ['path and tag', () => ({ path: 'elsewhere', tag })],
    ['path and principal', () => ({ path: 'elsewhere', requestedBy: scene.principalId })],
    ['repository and tag', () => ({ repository, tag })],
    ['repository and digest', () => ({ repository, digest: image.digest })],
    ['repository and time', () => ({ repository, requestedBefore })],
    ['principal and time', () => ({ requestedBy: scene.principalId, requestedAfter, requestedBefore })],
    ['everything', () => ({ path, state, tag, repository, digest: image.digest, requestedBy: scene.principalId, requestedAfter })],
  ])('read no growing table so for promotions of %s', async (_name, filter) => {
    const promotions = new PromotionReadModel(scene.database);

    expect(await scannedBy(() => promotions.list({ limit: 200 }, filter()))).toEqual({});
    expect(await scannedBy(() => promotions.list({ limit: 50, before: '80000000-0000-7000-8000-000000000000' }, filter()))).toEqual({});
  });

  const records = () => new ExecutionJournal(scene.database, { runId: actingRun, holder: 'worker', fence: 1n }).of(repository);
  async function deleteOne(): Promise<void> {
    const begun = await records().begin({ digest: digestOf(Buffer.from('7')), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);
    await records().settle(begun.effectId, { outcome: 'gone', tagsGone: ['7' as Tag] });
    await records().restored(digestOf(Buffer.from('7')), ['7' as Tag]);
  }

  /** One where the digest is and many where it is not. */
  const places = (): Place[] => [
    ...Array.from({ length: 199 }, (_, n) => ({ registryId: scene.principalId, repository: `team-${n}/app` as RepositoryName })),
    { registryId: scene.principalId, repository: 'team-a/app' as RepositoryName },
  ];
  it.each<[string, () => Promise<unknown>]>([
    ['what is due', () => new Outbox(scene.database).redispatchDue()],
    ['where work is open', () => new Outbox(scene.database).openLocations()],
    ['effects left open', () => new OpenEffects(scene.database).claim('all')],
    ['effects that nobody can read any more', () => new OpenEffects(scene.database).settleUnreadable()],
    ['work that was forgotten', () => new Leftovers(scene.database).redispatchStranded()],
    ['promotions without their end', () => new Leftovers(scene.database).settleEnded()],
    ['leases on tags that ran out', () => new Leftovers(scene.database).releaseTagLeases()],
    ['what is to be relayed', () => scene.takeMessages()],
    ['what is known of a digest', () => new ProvenanceChain(scene.database).about(image.digest, { after: 0n, limit: 100 })],
    ['places of a digest', () => new ArtifactReadModel(scene.database).places(image.digest, { limit: 200 })],
    ['tags of a digest', () => new ArtifactReadModel(scene.database).tags(image.digest, places())],
    ['what a digest is', () => new ArtifactReadModel(scene.database).content(image.digest)],
    ['what hangs together with a digest', () => new ArtifactReadModel(scene.database).relatives(image.digest, places())],
    ['a stretch of the chain', () => new ProvenanceChain(scene.database).links({ after: 20_000n, limit: 100 })],
    ['what is not linked yet', () => new ProvenanceChain(scene.database).linkPending()],
    ['what waits in the whole system', () => readSystemState(scene.database)],
    ['how far events go', () => new EventLog(scene.database).bounds()],
    ['the newest events', () => new EventLog(scene.database).read({ after: BigInt(rows) - 10n, limit: 500 })],
    ['events of one promotion', () => new EventLog(scene.database).read({ after: 0n, limit: 500, promotionId: scene.principalId })],
    ['events past their time', () => new EventLog(scene.database).purge()],
    ['what a pause held that has ended', () => new HeldTargets(scene.database).wake()],
    ['which of the runs under way are cancelled', () => cancelledAmong(scene.database, [scene.principalId])],
    ['the pauses that hold', () => new Pauses(scene.database).list({ limit: 50, isHistory: false })],
    ['keys past their time', () => new IdempotencyKeys(scene.database).purge()],
    ['a deletion from its beginning to its end', deleteOne],
    ['what a run is to mark', () => records().condemned({ after: 20_000, limit: 100 })],
    ['a mark', () => records().mark([{ digest: digestOf(Buffer.from('8')) }])],
    ['deletions that a run has left open', () => records().unsettled()],
    ['what was pushed meanwhile', () => records().pushedMeanwhile()],
    ['who took a tag away', () => records().takenAway({ tag: '7' as Tag, digest: digestOf(Buffer.from('7')) })],
    ['marks of a run', () => new RetentionRuns(scene.database).marks(actingRun, { after: { repository, position: 20_000 }, limit: 100 })],
    ['a run that is to act', () => new RetentionLeases(scene.database, { leaseMs: 60_000 }).claimExecution('worker')],
  ])('read no growing table so for %s', async (_name, work) => {
    expect(await scannedBy(work)).toEqual({});
  });
});
