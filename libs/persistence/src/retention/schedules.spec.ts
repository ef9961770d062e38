import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { policyHash } from '@waybill/topology';
import { topology } from '../scene.spec-helper.js';
import { RetentionPolicies } from './policies.js';
import { hour, policyNamed, RetentionScene } from './retention-scene.spec-helper.js';
import { RetentionRuns } from './runs.js';
import { RetentionTicks } from './ticks.js';

describe('schedules of retention', () => {
  let scene: RetentionScene;
  let policies: RetentionPolicies;
  let ticks: RetentionTicks;
  let name: string;
  let count = 0;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    policies = new RetentionPolicies(scene.database);
    ticks = new RetentionTicks(scene.database);
  });
  afterAll(() => scene.close());

  beforeEach(() => {
    name = `policy-${++count}`;
  });

  async function get() {
    const row = await policies.get(name);
    if (row === undefined) throw new Error(`there is no policy ${name}`);
    return row;
  }
  const runs = () => new RetentionRuns(scene.database).list({ policy: name, limit: 100 });

  describe('follow the topology', () => {
    it('and say what it declares, and when it is due', async () => {
      const policy = policyNamed(name);
      const revision = await scene.declare([policy]);

      const row = await get();

      expect(row).toMatchObject({
        registry: { name: 'ci' },
        revision,
        policy,
        hash: policyHash(policy),
        retiredAt: null,
        approval: undefined,
      });
      expect(JSON.stringify(row.policy)).toBe(JSON.stringify(policy));
      expect(row.nextDueAt?.getTime()).toBeGreaterThan(Date.now());
      expect(row.nextDueAt?.toISOString()).toMatch(/T03:00:00/);
    });

    it('and put nothing off while its times stay the same', async () => {
      await scene.declare([policyNamed(name)]);
      await scene.overdue('1 hour');
      const { nextDueAt } = await get();

      await scene.declare([policyNamed(name, { graceMs: hour })]);

      expect(await get()).toMatchObject({ nextDueAt, policy: { graceMs: hour } });
    });

    it.each([
      ['the cron expression', { cron: '0 4 * * *', timezone: 'UTC' }],
      ['the time zone', { cron: '0 3 * * *', timezone: 'Asia/Tokyo' }],
    ])('and are due anew when %s changes', async (_what, schedule) => {
      await scene.declare([policyNamed(name)]);
      await scene.overdue('1 hour');

      await scene.declare([policyNamed(name, { schedule })]);

      expect((await get()).nextDueAt?.getTime()).toBeGreaterThan(Date.now());
    });

    it('and are never due by themselves where the policy is disabled', async () => {
      await scene.declare([policyNamed(name, { mode: 'disabled' })]);

      expect((await get()).nextDueAt).toBeNull();
    });

    it('and keep a policy that has left, its pause and its runs, but do not run it', async () => {
      await scene.declare([policyNamed(name)]);
      await policies.pause(name, { by: scene.by, reason: 'audit' });
      await scene.request(name);

      await scene.declare([]);

      expect(await get()).toMatchObject({ nextDueAt: null, pauseReason: 'audit', retiredAt: expect.any(Date) });
      expect(await runs()).toHaveLength(1);
      expect(await policies.list({ limit: 100, isHistory: false })).toEqual([]);
      expect((await policies.list({ limit: 100, isHistory: true })).map((row) => row.name)).toContain(name);
      await expect(scene.request(name)).rejects.toMatchObject({ code: 'policy-retired' });
      await expect(policies.pause(name, { by: scene.by, reason: 'x' })).rejects.toMatchObject({ code: 'policy-retired' });

      await scene.declare([policyNamed(name)]);

      expect(await get()).toMatchObject({ retiredAt: null, nextDueAt: expect.any(Date), pauseReason: 'audit' });
    });

    it('and mean the registry that its name means now', async () => {
      await scene.declare([policyNamed(name)]);
      const before = (await get()).registry.id;
      const moved = { insecure: false, immutableTags: { kind: 'none' }, name: 'ci', role: 'ci-snapshots', location: 'eu' } as const;

      await scene.declare([policyNamed(name)], {
        registries: { ...topology.registries, ci: { ...moved, url: 'https://ci.example.com' } },
      });

      expect((await get()).registry).toMatchObject({ name: 'ci', id: expect.not.stringMatching(before) });
      expect(await policies.ofRegistry(before)).toEqual([]);
      expect(await policies.ofRegistry((await get()).registry.id)).toEqual([policyNamed(name)]);
    });
  });

  describe('when their time has come', () => {
    beforeEach(async () => {
      await scene.declare([]);
    });

    it('make one run, however many look', async () => {
      await scene.declare([policyNamed(name)]);
      await scene.overdue('1 minute');

      const taken = await Promise.all(Array.from({ length: 8 }, () => ticks.take()));

      expect(taken.filter((tick) => tick !== undefined)).toEqual([{ policy: name, outcome: 'run' }]);
      expect(await runs()).toMatchObject([{ trigger: 'schedule', mode: 'dryRun', state: 'planning', requestedBy: null }]);
      expect(await get()).toMatchObject({ lastTick: 'run', lastTickAt: expect.any(Date) });
      expect((await get()).nextDueAt?.getTime()).toBeGreaterThan(Date.now());
    });

    it('catch up once, whatever was missed', async () => {
      await scene.declare([policyNamed(name)]);
      await scene.overdue('30 days');

      expect([await ticks.take(), await ticks.take()]).toEqual([{ policy: name, outcome: 'run' }, undefined]);
    });

    it('make no run when their window is over, nor while one is under way', async () => {
      await scene.declare([policyNamed(name, { schedule: { cron: '0 3 * * *', timezone: 'UTC', windowMs: 2 * hour } })]);
      await scene.overdue('3 hours');
      expect(await ticks.take()).toEqual({ policy: name, outcome: 'too-late' });
      expect(await runs()).toEqual([]);

      await scene.overdue('1 hour');
      expect(await ticks.take()).toEqual({ policy: name, outcome: 'run' });

      await scene.overdue('1 hour');
      expect(await ticks.take()).toEqual({ policy: name, outcome: 'overlap' });
      expect(await runs()).toHaveLength(1);
      expect(await get()).toMatchObject({ lastTick: 'overlap' });
    });

    it('wait while they are paused, and go on with one', async () => {
      await scene.declare([policyNamed(name)]);
      await policies.pause(name, { by: scene.by, reason: 'audit' });
      await scene.overdue('2 days');
      expect(await ticks.take()).toBeUndefined();
      await expect(policies.pause(name, { by: scene.by, reason: 'again' })).rejects.toMatchObject({ code: 'policy-paused' });

      expect(await policies.resume(name, { by: scene.by, reason: 'over' })).toMatchObject({ pausedAt: null, pauseReason: null });
      await policies.resume(name, { by: scene.by });

      expect([await ticks.take(), await ticks.take()]).toEqual([{ policy: name, outcome: 'run' }, undefined]);
      const records = await scene.database.tables.retentionRecord.findMany({ where: { subject: name }, orderBy: { id: 'asc' } });
      expect(records.map(({ act, reason }) => [act, reason])).toEqual([
        ['paused', 'audit'],
        ['resumed', 'over'],
      ]);
    });
  });

  it('know no policy that was never declared', async () => {
    expect(await policies.get('nothing')).toBeUndefined();
    await expect(policies.pause('nothing', { by: scene.by, reason: 'x' })).rejects.toMatchObject({ code: 'policy-unknown' });
    await expect(policies.resume('nothing', { by: scene.by })).rejects.toMatchObject({ code: 'policy-unknown' });
    await expect(scene.request('nothing')).rejects.toMatchObject({ code: 'policy-unknown' });
  });
});
