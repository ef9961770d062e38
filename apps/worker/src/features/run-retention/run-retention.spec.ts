import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, digestOf, digestToBytes, mediaType, parseTag } from '@waybill/oci-model';
import {
  type DecisionRow,
  Holds,
  IdempotencyKeys,
  InUse,
  PlanJournal,
  RetentionLeases,
  type RetentionRunRow,
  RetentionRuns,
  RetentionTicks,
  TopologyRevisions,
} from '@waybill/persistence';
import type { RetentionPolicy, RetentionRule } from '@waybill/topology';
import { gate } from '../../infrastructure/gate.spec-helper.js';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { RecordedPromotions, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { PlanRun } from './plan-run.js';
import { RunRetention, type RunRetentionOptions } from './run-retention.js';

const leaseMs = 60_000;
const day = 86_400_000;
const oldBranches: RetentionRule = {
  name: 'old-branches',
  action: 'delete',
  match: { tags: { glob: ['br-*'] } },
  criteria: 'all',
  olderThan: { of: 'created', durationMs: 30 * day },
};

function policyNamed(
  name: string,
  rules: readonly RetentionRule[] = [oldBranches],
  change: Partial<RetentionPolicy> = {},
): RetentionPolicy {
  return {
    ...{ name, registry: 'ci', origin: 'declared', mode: 'dryRun', schedule: { cron: '0 3 * * *', timezone: 'UTC' }, rules, graceMs: day },
    repositories: { include: ['team-a/**'], exclude: [] },
    protect: { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 0 },
    limits: { maxDeletePercent: 20, maxDeleteCount: 500, maxDeleteBytes: 1e12 },
    ...change,
  };
}

const named = (name: string): Digest => digestOf(Buffer.from(name));
const nightly = 'nightly';

describe('RunRetention', () => {
  let recorded: RecordedPromotions;
  let runs: RetentionRuns;
  let log: Logged;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open();
    runs = new RetentionRuns(recorded.database);
  });
  afterAll(() => recorded.close());
  beforeEach(async () => {
    log = logged();
    const { tables } = recorded.database;
    for (const { id } of await runs.list({ limit: 100 })) await runs.cancel(id, { by: recorded.principalId });
    await tables.$executeRaw`DELETE FROM placement`;
    await tables.$executeRaw`DELETE FROM tag`;
    await tables.$executeRaw`DELETE FROM tag_event`;
    await tables.$executeRaw`DELETE FROM repository`;
    await tables.$executeRaw`DELETE FROM hold`;
    await tables.$executeRaw`DELETE FROM in_use_digest`;
    await tables.$executeRaw`DELETE FROM in_use_reporter`;
    await declare([policyNamed(nightly)]);
  });

  async function declare(policies: readonly RetentionPolicy[], addresses = {}): Promise<void> {
    const topology = { ...topologyAt(addresses), name: uuidV7.next(), retention: policies };
    await new TopologyRevisions(recorded.database).apply(topology, 'source', recorded.principalId);
  }

  /** A repository of CI after a full crawl: a manifest of that name, long ago, for each tag. */
  async function seed(repository: string, tags: readonly string[], { isCrawled = true } = {}): Promise<void> {
    const { tables } = recorded.database;
    await tables.$executeRaw`
      INSERT INTO repository (registry_id, name, last_full_crawl_started_at)
      SELECT id, ${repository}, CASE WHEN ${isCrawled} THEN now() END FROM registry WHERE name = 'ci' AND replaced_at IS NULL`;
    for (const tag of tags) {
      const digest = digestToBytes(named(`${repository} ${tag}`));
      await tables.$executeRaw`
        INSERT INTO content (digest, media_type, size) VALUES (${digest}, ${mediaType.ociManifest}, 100) ON CONFLICT DO NOTHING`;
      await tables.$executeRaw`
        INSERT INTO manifest (digest, media_type, is_index, created_at, raw)
        VALUES (${digest}, ${mediaType.ociManifest}, false, now() - interval '90 days', 'raw') ON CONFLICT DO NOTHING`;
      await tables.$executeRaw`
        INSERT INTO placement (registry_id, repository, digest, seen_from, seen_by)
        SELECT id, ${repository}, ${digest}, now() - interval '80 days', gen_random_uuid() FROM registry WHERE name = 'ci' AND replaced_at IS NULL`;
      await tables.$executeRaw`
        INSERT INTO tag_event (registry_id, repository, tag, digest, source, observed_at)
        SELECT id, ${repository}, ${tag}, ${digest}, 'crawl', now() - interval '80 days' FROM registry WHERE name = 'ci' AND replaced_at IS NULL`;
    }
  }

  async function claim() {
    const request = { principalId: recorded.principalId, route: 'POST /spec', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claimed = await new IdempotencyKeys(recorded.database).claim(request);
    if (claimed.claim !== 'ours') throw new Error(`the claim is ${claimed.claim}`);
    return { request, token: claimed.token, answerOf: () => ({ status: 201, headers: {}, body: {} }) };
  }

  async function request(asked: { readonly detail?: 'all' } = {}): Promise<string> {
    const id = uuidV7.next();
    const run = { id, policy: nightly, by: recorded.principalId, isDryRun: true, detail: 'removals', ...asked } as const;
    await runs.request(run, await claim());
    return id;
  }

  function worker(options: Partial<RunRetentionOptions> = {}): RunRetention {
    const { database } = recorded;
    const ticks = new RetentionTicks(database);
    const leases = new RetentionLeases(database, { leaseMs });
    const planRun = new PlanRun({ database, revisions: new TopologyRevisions(database) });
    const executeRun = { execute: () => Promise.reject(new TypeError('nothing acts here')) };
    return new RunRetention({ ticks, leases, leaseMs, planRun, executeRun, workerId: 'one', logger: log.logger, ...options });
  }

  async function runOf(id: string): Promise<RetentionRunRow> {
    const run = await runs.get(id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  }
  const said = ({ repository, tag, digest, verdict }: DecisionRow) => `${verdict} ${repository}${tag === '' ? `@${digest}` : `:${tag}`}`;
  const decided = async (id: string) => (await runs.decisions(id, { limit: 100 })).map(said);
  const gone = (repository: string, tag: string) => [
    `delete ${repository}:${tag}`,
    `delete ${repository}@${named(`${repository} ${tag}`)}`,
  ];

  it('plans what its policy removes, from what the inventory knows, and ends', async () => {
    await seed('team-a/app', ['br-1', '1.0.0']);
    await seed('team-b/app', ['br-1']);
    const id = await request();

    expect(await worker().run()).toBe(1);

    expect(await runOf(id)).toMatchObject({
      ...{ state: 'succeeded', mode: 'dryRun', repositories: 1, artifacts: 2, removals: 1, unknown: 0, planHash: expect.any(String) },
      exceeded: [{ limit: 'maxDeletePercent', allowed: 20, planned: 50 }],
    });
    expect(await decided(id)).toEqual(gone('team-a/app', 'br-1'));
    expect(await runs.repositories(id, { limit: 10 })).toMatchObject([
      { repository: 'team-a/app', state: 'planned', kept: { 'no-rule': 1 } },
    ]);
    const [first] = await runs.decisions(id, { limit: 1 });
    expect(first?.reasons).toMatchObject([{ code: 'removed-by-rule', policy: nightly, rule: 'old-branches' }]);
    expect(await worker().run()).toBe(0);
  });

  it('gives equal plans the same hash, and tells what it keeps where that was asked for', async () => {
    await seed('team-a/app', ['br-1', '1.0.0']);
    const short = await request();
    await worker().run();
    const whole = await request({ detail: 'all' });
    await worker().run();

    expect((await runOf(whole)).planHash).toBe((await runOf(short)).planHash);
    expect(await decided(whole)).toEqual([
      ...gone('team-a/app', 'br-1'),
      'keep team-a/app:1.0.0',
      `keep team-a/app@${named('team-a/app 1.0.0')}`,
    ]);
  });

  it('keeps a repository whole of which not enough is known', async () => {
    await seed('team-a/app', ['br-1'], { isCrawled: false });
    const id = await request();

    await worker().run();

    expect(await runOf(id)).toMatchObject({ state: 'succeeded', removals: 0, unknown: 1 });
    expect(await runs.repositories(id, { limit: 10 })).toMatchObject([{ kept: { 'not-fully-crawled': 1 } }]);
  });

  it('keeps what somebody holds', async () => {
    await seed('team-a/app', ['br-1', 'br-2', 'br-3']);
    await seed('team-a/held', ['br-1']);
    const by = recorded.principalId;
    const holds = new Holds(recorded.database);
    const on = [
      { scope: 'digest', digest: named('team-a/app br-1') },
      { scope: 'tag', registry: 'ci', repository: 'team-a/app', tag: parseTag('br-2') },
      { scope: 'repository', repository: 'team-a/held' },
      { scope: 'repository', registry: 'prod', repository: 'team-a/app' },
    ] as const;
    for (const each of on) await holds.place({ id: uuidV7.next(), on: each, reason: 'audit', by }, await claim());
    const id = await request();

    await worker().run();

    expect(await decided(id)).toEqual(gone('team-a/app', 'br-3'));
  });

  it('keeps what runs somewhere, and what a silent reporter would see', async () => {
    await seed('team-a/app', ['br-1', 'br-2']);
    await seed('team-a/unseen', ['br-1']);
    const inUse = new InUse(recorded.database);
    const report = { kind: 'kubernetes', by: recorded.principalId, everyMs: 60_000 };
    const covers = (repository: string) => ({ registries: ['*'], repositories: [repository] });
    await inUse.report({ ...report, reporter: 'silent', covers: covers('team-a/unseen'), digests: [] }, await claim());
    await recorded.database.tables.$executeRaw`UPDATE in_use_reporter SET last_report_at = now() - interval '1 day'`;
    const running = [{ digest: named('team-a/app br-1') }];
    await inUse.report({ ...report, reporter: 'cluster', covers: covers('**'), digests: running }, await claim());
    const id = await request();

    await worker().run();

    expect(await decided(id)).toEqual(gone('team-a/app', 'br-2'));
    expect(await runs.repositories(id, { limit: 10 })).toMatchObject([{ kept: { 'in-use': 1 } }, { kept: { 'reporter-silent': 1 } }]);
  });

  it('lets other policies of the registry keep, and not remove', async () => {
    await seed('team-a/app', ['br-1', 'br-2', 'tmp-1']);
    const keep: RetentionRule = { name: 'mine', action: 'keep', match: { tags: { glob: ['br-1'] } }, criteria: 'any' };
    const remove: RetentionRule = { ...oldBranches, match: { tags: { glob: ['tmp-*'] } } };
    await declare([policyNamed(nightly), policyNamed('other', [keep, remove])]);
    const id = await request();

    await worker().run();

    expect(await decided(id)).toEqual(gone('team-a/app', 'br-2'));
  });

  it('makes one run of a time that has come, whoever looks', async () => {
    await recorded.database.tables
      .$executeRaw`UPDATE retention_schedule SET next_due_at = now() - interval '1 minute' WHERE policy = ${nightly}`;

    const taken = await Promise.all([1, 2, 3].map(() => worker().tick()));

    expect(taken.filter((count) => count === 1)).toHaveLength(1);
    expect(await worker().run()).toBe(1);
    expect(await runs.list({ policy: nightly, limit: 1 })).toMatchObject([{ trigger: 'schedule', state: 'succeeded' }]);
    await request();
    await recorded.database.tables
      .$executeRaw`UPDATE retention_schedule SET next_due_at = now() - interval '1 minute' WHERE policy = ${nightly}`;
    await worker().tick();
    expect(log.saying('retention was due and makes no run')).toHaveLength(1);
  });

  it('goes on where a worker died, with an equal plan', async () => {
    for (const name of ['a', 'b', 'c']) await seed(`team-a/${name}`, ['br-1']);
    const undisturbed = await request();
    await worker().run();
    const id = await request();
    const { database } = recorded;
    const dying = new RetentionLeases(database, { leaseMs });
    const lease = await dying.claimPlanning('dying');
    if (lease === undefined) throw new Error('no run waits');
    await new PlanJournal(database, lease).add(['team-a/a', 'team-a/b', 'team-a/c']);
    await database.tables.$executeRaw`UPDATE retention_run SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}::uuid`;

    await worker().run();

    expect(await runOf(id)).toMatchObject({ state: 'succeeded', planHash: (await runOf(undisturbed)).planHash });
    expect(await decided(id)).toEqual(await decided(undisturbed));
  });

  it('hands a run over when it is stopped', async () => {
    const id = await request();
    const begun = gate();
    const stopped = worker({
      planRun: {
        plan: (_lease, signal) => {
          begun.open();
          return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
        },
      },
    });

    const running = stopped.run();
    await begun.passed;
    stopped.close();
    await running;

    expect(log.saying('the run of retention is handed over')).toHaveLength(1);
    expect(await stopped.run()).toBe(0);
    expect(await worker().run()).toBe(1);
    expect(await runOf(id)).toMatchObject({ state: 'succeeded' });
  });

  it('leaves what broke to be tried again', async () => {
    const id = await request();

    await worker({ planRun: { plan: () => Promise.reject(new TypeError('a mistake')) } }).run();

    expect(log.saying('the run of retention broke off')).toHaveLength(1);
    expect(await runOf(id)).toMatchObject({ state: 'planning' });
  });

  it('changes nothing when the run was cancelled meanwhile', async () => {
    const id = await request();
    const { database } = recorded;
    const planRun = new PlanRun({ database, revisions: new TopologyRevisions(database) });

    await worker({
      planRun: {
        plan: async (lease, signal) => {
          await runs.cancel(id, { by: recorded.principalId });
          return planRun.plan(lease, signal);
        },
      },
    }).run();

    expect(await runOf(id)).toMatchObject({ state: 'cancelled', planHash: null });
    expect(log.saying('the run of retention was cancelled or taken over')).toHaveLength(1);
  });

  it('fails when the name means another registry by now', async () => {
    const id = await request();
    await declare([policyNamed(nightly)], { ci: 'https://other.example.com' });

    await worker().run();

    expect(await runOf(id)).toMatchObject({ state: 'failed', error: { code: 'registry-replaced' } });
    await declare([policyNamed(nightly)]);
  });
});
