import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PlanJournal } from '../retention/plan-journal.js';
import { policyNamed, RetentionScene } from '../retention/retention-scene.spec-helper.js';
import { RetentionRuns } from '../retention/runs.js';
import { readRetentionState } from './retention-state.js';

describe('readRetentionState', () => {
  let scene: RetentionScene;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    await scene.declare([policyNamed('nightly'), policyNamed('weekly')]);
  });
  afterAll(() => scene.close());

  const policy = async (name: string) => (await readRetentionState(scene.database)).policies.find((one) => one.policy === name);

  it('tells of policies that have not run yet that they have not', async () => {
    expect(await readRetentionState(scene.database)).toEqual({
      ...{ openRuns: [], runsEnded: [], removals: [] },
      policies: ['nightly', 'weekly'].map((name) => ({ policy: name, overdue: 0, successAge: null, lastRun: null })),
    });
  });

  it('tells what is open, and how the last run went once it has ended', async () => {
    const { id } = await scene.request('nightly');
    const journal = new PlanJournal(scene.database, await scene.lease());
    expect((await readRetentionState(scene.database)).openRuns).toEqual([{ policy: 'nightly', state: 'planning', count: 1 }]);

    await journal.add(['team-a/app']);
    const outcome = { planHash: 'ab'.repeat(32), artifacts: 10, removals: 2, unknown: 1, bytesAtMost: 500, kept: {} };
    await journal.planned('team-a/app', [], outcome);
    await scene.database.tables.$executeRaw`UPDATE retention_run SET started_at = now() - interval '90 seconds', deleted = 2, spared = 1`;
    await journal.finishPlan([]);

    const state = await readRetentionState(scene.database);
    expect(state.openRuns).toEqual([]);
    expect(state.runsEnded).toEqual([{ policy: 'nightly', state: 'succeeded', count: 1 }]);
    expect(state.removals).toEqual([
      { policy: 'nightly', outcome: 'deleted', count: 2 },
      { policy: 'nightly', outcome: 'spared', count: 1 },
    ]);
    const nightly = await policy('nightly');
    expect(nightly?.lastRun).toEqual({ seconds: expect.any(Number), removals: 2, unknown: 1, bytesAtMost: 500 });
    expect(nightly?.lastRun?.seconds).toBeGreaterThanOrEqual(90);
    expect(nightly?.successAge).toEqual(expect.any(Number));
    expect(await scene.run(id)).toMatchObject({ state: 'succeeded' });
  });

  it('tells what was cancelled from what succeeded', async () => {
    const { id } = await scene.request('nightly');
    await new RetentionRuns(scene.database).cancel(id, { by: scene.by, reason: 'spec' });

    expect((await readRetentionState(scene.database)).runsEnded).toEqual([
      { policy: 'nightly', state: 'cancelled', count: 1 },
      { policy: 'nightly', state: 'succeeded', count: 1 },
    ]);
  });

  it('tells for how long a policy should have run, unless it is paused', async () => {
    await scene.overdue('2 hours');
    expect((await policy('weekly'))?.overdue).toBeGreaterThanOrEqual(7_200);

    await scene.database.tables.$executeRaw`
      UPDATE retention_schedule SET paused_at = now(), paused_by = ${scene.by}::uuid, pause_reason = 'spec' WHERE policy = 'weekly'`;
    expect((await policy('weekly'))?.overdue).toBe(0);
  });
});
