import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import { named } from './inventory-rows.spec-helper.js';
import { hour } from './retention-scene.spec-helper.js';
import { RetentionRuns } from './runs.js';

const [first, second] = ['team-a/first', 'team-a/second'];

describe('a run that acts and has to wait', () => {
  let scene: ExecutionScene;
  let run: ActingRun;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
    for (const repository of [first, second]) await scene.seed({ repository, manifests: { old: {} }, tags: { '1.0': 'old' } });
    run = await scene.acting(
      [first, second].map((repository) => ({ repository, manifests: ['old'] })),
      { graceMs: hour },
    );
    await run.journal.enter(first, 'marking');
    await run.journal.of(first).mark([{ digest: named('old') }]);
    await run.journal.enter(first, 'grace');
    await run.journal.rest();
    await scene.database.tables.$executeRaw`UPDATE retention_run SET resume_at = now() WHERE id = ${run.id}::uuid`;
  });
  afterAll(() => scene.close());

  it('goes on marking where it rested amid that, and no longer than the window is open', async () => {
    const { journal } = await scene.claim();
    expect(await scene.state(run.id)).toBe('marking');
    await scene.database.tables.$executeRaw`
      UPDATE retention_run SET window_ends_at = now() - interval '1 second' WHERE id = ${run.id}::uuid`;

    await expect(journal.enter(second, 'marking')).rejects.toMatchObject({ code: 'window-over' });
    await expect(journal.of(second).requireMayAct()).rejects.toMatchObject({ code: 'window-over' });

    await scene.database.tables.$executeRaw`
      UPDATE retention_run SET window_ends_at = now() + interval '1 minute' WHERE id = ${run.id}::uuid`;
    await journal.enter(second, 'marking');
    await journal.of(second).requireMayAct();
    await journal.enter(second, 'grace');
    await journal.rest();
  });

  it('goes on to delete once all is marked, and says when it may no longer', async () => {
    await scene.database.tables.$executeRaw`UPDATE retention_mark SET due_at = now()`;
    await scene.database.tables.$executeRaw`
      UPDATE retention_run SET resume_at = now(), window_ends_at = now() - interval '1 second' WHERE id = ${run.id}::uuid`;
    const { journal } = await scene.claim();
    expect(await scene.state(run.id)).toBe('deleting');
    await journal.enter(first, 'deleting');
    await journal.of(first).requireMayAct();

    await new RetentionRuns(scene.database).cancel(run.id, { by: scene.retention.by });

    await expect(journal.of(first).requireMayAct()).rejects.toMatchObject({ code: 'run-cancelled' });
  });
});
