import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { manifestNamed, oneTag } from '../scene.spec-helper.js';
import { type ApprovalRow, RetentionApprovals } from './approvals.js';
import { type NewDecision, PlanJournal, type RepositoryOutcome } from './plan-journal.js';
import { RetentionPolicies } from './policies.js';
import { hour, policyNamed, RetentionScene } from './retention-scene.spec-helper.js';
import { RetentionRuns } from './runs.js';

const outcome: RepositoryOutcome = {
  planHash: 'ab'.repeat(32),
  artifacts: 10,
  removals: 2,
  unknown: 1,
  bytesAtMost: 500,
  kept: { 'no-rule': 8 },
};
const error = { code: 'snapshot-invalid', message: 'a tag names nothing', operation: 'plan', retryable: false };

function removal(name: string): NewDecision {
  const reasons = [{ code: 'removed-by-rule', rule: 'old' }];
  return { digest: manifestNamed(name).digest, tag: '', verdict: 'delete', archiveTo: [], reasons, isUnknown: false, bytes: 7 };
}
const removals = (number: number) => Array.from({ length: number }, (_, at) => removal(`image ${at}`));

describe('runs of retention', () => {
  let scene: RetentionScene;
  let runs: RetentionRuns;
  let name: string;
  let count = 0;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    runs = new RetentionRuns(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    name = `policy-${++count}`;
    await scene.declare([policyNamed(name)]);
  });
  afterEach(async () => {
    for (const { id } of await runs.list({ limit: 100 })) await runs.cancel(id, { by: scene.by });
  });

  const journalOf = async (holder?: string) => new PlanJournal(scene.database, await scene.lease(holder));
  const expire = () =>
    scene.database.tables
      .$executeRaw`UPDATE retention_run SET lease_expires_at = now() - interval '1 second' WHERE lease_expires_at IS NOT NULL`;

  it('never overlap, and say which one is under way', async () => {
    const first = await scene.request(name);

    await expect(scene.request(name)).rejects.toMatchObject({ code: 'run-unfinished', details: { run: first.id } });
    const together = await Promise.allSettled([1, 2, 3].map(() => scene.request(name)));

    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await new RetentionPolicies(scene.database).get(name)).toMatchObject({ openRun: first.id });
  });

  it('are listed newest first, page by page', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 3; at += 1) {
      const { id } = await scene.request(name);
      ids.unshift(id);
      await runs.cancel(id, { by: scene.by, reason: 'wrong' });
    }

    const first = await runs.list({ policy: name, limit: 2 });
    const rest = await runs.list({ policy: name, limit: 2, before: first.at(-1)?.id ?? '' });

    expect([...first, ...rest].map(({ id }) => id)).toEqual(ids);
    expect(first).toMatchObject([{ state: 'cancelled' }, { state: 'cancelled' }]);
  });

  it('are claimed once, and again when their worker is silent', async () => {
    const { id } = await scene.request(name);
    const first = await scene.lease('one');
    expect(first).toMatchObject({ runId: id, holder: 'one' });
    expect(await scene.leases().claimPlanning('two')).toBeUndefined();
    expect(await scene.leases().renew(first)).toBe(true);

    await expire();
    const second = await scene.lease('two');

    expect(await scene.leases().renew(first)).toBe(false);
    expect(await new PlanJournal(scene.database, first).add(['team-a/app'])).toBe(false);
    expect(await scene.leases().fail(first, error)).toBe(false);
    await scene.leases().release(second);
    expect((await scene.lease('three')).fence).toBeGreaterThan(second.fence);
  });

  it('fail when too many workers died over them', async () => {
    const { id } = await scene.request(name);
    for (let at = 0; at < 5; at += 1) {
      await scene.lease();
      await expire();
    }

    expect(await scene.leases().claimPlanning('worker')).toBeUndefined();

    expect(await scene.run(id)).toMatchObject({ state: 'failed', error: { code: 'attempts-exhausted' } });
  });

  it('keep a plan: decisions in their order, counts, and one hash of it all', async () => {
    const { id } = await scene.request(name);
    const journal = await journalOf();
    await journal.add(['team-a/app', 'team-a/other', 'team-b/app']);
    await journal.add(['team-b/app']);
    expect(await journal.pending(2)).toEqual(['team-a/app', 'team-a/other']);

    const decided = [
      removal('one'),
      { ...removal('one'), tag: oneTag },
      { ...removal('two'), verdict: 'archive' as const, archiveTo: ['archive'] },
    ];
    await journal.planned('team-a/app', decided, outcome);
    await journal.planned('team-a/other', [], { ...outcome, removals: 0, bytesAtMost: 0 });
    await journal.unplanned('team-b/app', error);
    expect(await journal.pending(2)).toEqual([]);
    expect(await journal.finishPlan([{ limit: 'maxDeletePercent' }])).toBe(true);

    expect(await scene.run(id)).toMatchObject({
      ...{ state: 'partial', mode: 'dryRun', repositories: 2, artifacts: 20, removals: 2, unknown: 2, bytesAtMost: 500 },
      ...{ exceeded: [{ limit: 'maxDeletePercent' }], planHash: expect.stringMatching(/^[0-9a-f]{64}$/), finishedAt: expect.any(Date) },
    });
    expect(await runs.decisions(id, { limit: 10 })).toEqual(
      decided.map((row, position) => ({ ...row, repository: 'team-a/app', position })),
    );
    expect(await runs.repositories(id, { limit: 10 })).toMatchObject([
      { repository: 'team-a/app', state: 'planned', kept: { 'no-rule': 8 }, error: null },
      { repository: 'team-a/other', state: 'planned' },
      { repository: 'team-b/app', state: 'unplanned', error },
    ]);
    expect(await runs.repositories(id, { after: 'team-a/other', limit: 10 })).toHaveLength(1);
  });

  it('keep plans of several repositories together as they do one by one', async () => {
    const told: unknown[] = [];
    for (const isTogether of [true, false]) {
      const { id } = await scene.request(name);
      const journal = await journalOf();
      await journal.add(['a', 'b', 'c']);
      const plans = [
        { repository: 'a', decisions: [...removals(2_100)], outcome },
        { repository: 'b', decisions: [], outcome: { ...outcome, planHash: 'cd'.repeat(32), kept: { hold: 1 } } },
        { repository: 'c', decisions: [removal('one')], outcome },
      ];
      if (isTogether) await journal.plannedTogether(plans);
      else for (const { repository, decisions, outcome: one } of plans) await journal.planned(repository, decisions, one);
      await journal.finishPlan([]);
      const { planHash, repositories, artifacts, removals: count, unknown, bytesAtMost } = await scene.run(id);
      told.push({ planHash, repositories, artifacts, count, unknown, bytesAtMost, decisions: await runs.decisions(id, { limit: 5_000 }) });
    }

    expect(told[0]).toEqual(told[1]);
    expect(told[0]).toMatchObject({ repositories: 3, artifacts: 30 });
  });

  it('have equal hashes for equal plans, and others for others', async () => {
    const hashes: (string | null)[] = [];
    for (const planHash of ['ab', 'ab', 'cd'].map((byte) => byte.repeat(32))) {
      const { id } = await scene.request(name);
      const journal = await journalOf();
      await journal.add(['team-a/app']);
      await journal.planned('team-a/app', [], { ...outcome, planHash });
      await journal.finishPlan([]);
      hashes.push((await scene.run(id)).planHash);
    }

    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('are read decision by decision, a page at a time', async () => {
    const { id } = await scene.request(name);
    const journal = await journalOf();
    await journal.add(['a', 'b']);
    for (const repository of ['a', 'b']) await journal.planned(repository, removals(2_500), outcome);

    const first = await runs.decisions(id, { limit: 2_600 });
    const last = first.at(-1);
    if (last === undefined) throw new Error('nothing was decided');
    const rest = await runs.decisions(id, { limit: 10_000, after: last });

    expect(first.length + rest.length).toBe(5_000);
    expect([first[2_499], first[2_500]]).toMatchObject([
      { repository: 'a', position: 2_499 },
      { repository: 'b', position: 0 },
    ]);
    expect(new Set([...first, ...rest].map(({ repository, position }) => `${repository} ${position}`)).size).toBe(5_000);
    expect(await runs.decisions(id, { repository: 'b', limit: 10_000 })).toHaveLength(2_500);
  });

  it('are taken over without a decision said twice, and without what the dead worker began', async () => {
    const { id } = await scene.request(name);
    const dead = await journalOf('dead');
    await dead.add(['a', 'b']);
    await dead.planned('a', [removal('one')], outcome);
    function* broken() {
      yield* removals(2_500);
      throw new Error('the worker dies');
    }
    await expect(dead.planned('b', broken(), outcome)).rejects.toThrow('the worker dies');
    await expire();

    const other = await journalOf('other');
    expect(await other.pending(10)).toEqual(['b']);
    expect(await dead.planned('b', [removal('late')], outcome)).toBe(false);
    expect(await dead.plannedTogether([{ repository: 'b', decisions: [removal('late')], outcome }])).toBe(false);
    await other.planned('b', [removal('two')], outcome);
    await other.finishPlan([]);

    expect((await runs.decisions(id, { limit: 10 })).map(({ digest }) => digest)).toEqual([removal('one').digest, removal('two').digest]);
    expect(await scene.run(id)).toMatchObject({ state: 'succeeded', repositories: 2, artifacts: 20 });
  });

  it('say what they decided for good', async () => {
    await scene.request(name);
    const journal = await journalOf();
    await journal.add(['a']);
    await journal.planned('a', [removal('one')], outcome);
    const { tables } = scene.database;

    await expect(tables.$executeRaw`UPDATE retention_decision SET verdict = 'keep'`).rejects.toThrow(/append-only/);
    await expect(tables.$executeRaw`DELETE FROM retention_decision`).rejects.toThrow(/append-only/);
    await expect(tables.$executeRaw`UPDATE retention_record SET reason = ''`).rejects.toThrow(/append-only/);
  });

  it('are cancelled under their worker, which writes nothing more', async () => {
    const { id } = await scene.request(name);
    const journal = await journalOf();
    await journal.add(['a']);

    expect(await runs.cancel(id, { by: scene.by, reason: 'wrong' })).toMatchObject({ state: 'cancelled' });

    expect(await journal.planned('a', [removal('one')], outcome)).toBe(false);
    expect(await journal.finishPlan([])).toBe(false);
    await expect(runs.cancel(uuidV7.next(), { by: scene.by })).rejects.toMatchObject({ code: 'run-unknown' });
  });

  describe('and approvals', () => {
    let approvals: RetentionApprovals;
    beforeAll(() => {
      approvals = new RetentionApprovals(scene.database);
    });

    async function approve(runId: string, policy = name): Promise<ApprovalRow> {
      const claim = await scene.claim<ApprovalRow>();
      await approvals.approve({ id: uuidV7.next(), policy, runId, by: scene.by, reason: 'looked at it' }, claim);
      return claim.done();
    }

    async function planned(): Promise<string> {
      const { id } = await scene.request(name);
      await scene.planEmpty();
      return id;
    }

    const modeOfNext = async (isDryRun = false) => {
      const { id, mode } = await scene.request(name, { isDryRun });
      await runs.cancel(id, { by: scene.by });
      return mode;
    };

    it('let runs act only in the words that were approved', async () => {
      await scene.declare([policyNamed(name, { mode: 'enforce' })]);
      expect(await modeOfNext()).toBe('dryRun');

      const approval = await approve(await planned());

      expect(await modeOfNext()).toBe('enforce');
      expect(await modeOfNext(true)).toBe('dryRun');
      expect(await new RetentionPolicies(scene.database).get(name)).toMatchObject({
        approval: { id: approval.id, reason: 'looked at it' },
      });

      await scene.declare([policyNamed(name, { mode: 'enforce', graceMs: hour })]);
      expect(await modeOfNext()).toBe('dryRun');
      await scene.declare([policyNamed(name, { mode: 'enforce' })]);
      expect(await modeOfNext()).toBe('enforce');
    });

    it('let a policy act neither where it says it only plans, nor while it is paused, nor when they are taken back', async () => {
      const { id } = await approve(await planned());
      expect(await modeOfNext()).toBe('dryRun');

      await scene.declare([policyNamed(name, { mode: 'enforce' })]);
      const policies = new RetentionPolicies(scene.database);
      await policies.pause(name, { by: scene.by, reason: 'audit' });
      expect(await modeOfNext()).toBe('dryRun');
      await policies.resume(name, { by: scene.by });
      expect(await modeOfNext()).toBe('enforce');

      expect(await approvals.revoke(id, { by: scene.by, reason: 'no' })).toMatchObject({ revokeReason: 'no' });
      expect(await approvals.revoke(id, { by: scene.by, reason: 'again' })).toMatchObject({ revokeReason: 'no' });
      expect(await modeOfNext()).toBe('dryRun');
    });

    it('do not reach a registry that took the name', async () => {
      await scene.declare([policyNamed(name, { mode: 'enforce' })]);
      await approve(await planned());

      await scene.declare([policyNamed(name, { mode: 'enforce', registry: 'prod-b' })]);

      expect(await modeOfNext()).toBe('dryRun');
    });

    it('are refused for what nobody has looked at', async () => {
      const run = await planned();
      await approve(run);
      await expect(approve(run)).rejects.toMatchObject({ code: 'already-approved' });
      await expect(approve(uuidV7.next())).rejects.toMatchObject({ code: 'run-unknown' });
      await expect(approve(run, 'nothing')).rejects.toMatchObject({ code: 'policy-unknown' });
      const open = await scene.request(name);
      await expect(approve(open.id)).rejects.toMatchObject({ code: 'plan-missing' });
      await scene.declare([policyNamed(name, { graceMs: hour })]);
      await expect(approve(run)).rejects.toMatchObject({ code: 'plan-outdated' });
      await expect(approvals.revoke(uuidV7.next(), { by: scene.by })).rejects.toMatchObject({ code: 'approval-unknown' });
      expect((await approvals.list({ policy: name, limit: 10 })).map(({ runId }) => runId)).toEqual([run]);
    });
  });
});
