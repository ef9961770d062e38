import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { DispatchLeases } from '../run/dispatch-lease.js';
import { Outbox } from '../run/outbox.js';
import { image, MemoryCopier, Scene } from '../scene.spec-helper.js';
import { readSystemState } from './system-state.js';

const nothingWaits = { openPromotions: [], queueAges: [], outboxAge: 0, unsettledEffectAge: 0 };

describe('readSystemState', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.start();
  });
  afterEach(() => scene.close());

  it('finds nothing that waits where nothing was asked', async () => {
    expect(await readSystemState(scene.database)).toEqual({ ...nothingWaits, promotionsEnded: [], targetsEnded: [], leaseTakeovers: [] });
  });

  it('tells what is requested and how long its jobs and messages wait', async () => {
    const id = await scene.request();
    const { tables } = scene.database;
    await tables.$executeRaw`UPDATE dispatch SET queued_at = now() - interval '90 seconds' WHERE location = 'us'`;
    await tables.$executeRaw`UPDATE outbox SET created_at = now() - interval '30 seconds'`;

    const state = await readSystemState(scene.database);

    expect(state.openPromotions).toEqual([{ path: 'release', state: 'requested', count: 1 }]);
    expect(state.queueAges).toEqual([
      { location: 'eu', seconds: expect.any(Number) },
      { location: 'us', seconds: expect.any(Number) },
    ]);
    expect(state.queueAges[1]?.seconds).toBeGreaterThanOrEqual(90);
    expect(state.outboxAge).toBeGreaterThanOrEqual(30);
    await expect(scene.promotion(id)).resolves.toMatchObject({ state: 'requested' });
  });

  it('counts what has ended, and has it wait no more', async () => {
    await scene.request({ targets: ['prod'] });
    const [message] = await scene.takeMessages();
    if (message === undefined) throw new Error('nothing was dispatched');
    await scene.run(message, new MemoryCopier());

    expect(await readSystemState(scene.database)).toEqual({
      ...nothingWaits,
      promotionsEnded: [{ path: 'release', state: 'succeeded', count: 1 }],
      targetsEnded: [{ registry: 'prod', outcome: 'copied', count: 1 }],
      leaseTakeovers: [],
    });
  });

  it('counts the leases whose worker died, and no others', async () => {
    const outbox = new Outbox(scene.database);
    await scene.request({ targets: ['prod'] });
    const [message] = await scene.takeMessages();
    if (message === undefined) throw new Error('nothing was dispatched');
    const { lease } = await scene.open(message);
    await new DispatchLeases(scene.database, { leaseMs: 60_000 }).renew(lease);
    await outbox.redispatchDue();
    expect((await readSystemState(scene.database)).leaseTakeovers).toEqual([]);

    await scene.database.tables.$executeRaw`UPDATE dispatch SET lease_expires_at = now() - interval '1 second', due_at = now()`;
    await outbox.redispatchDue();

    expect((await readSystemState(scene.database)).leaseTakeovers).toEqual([{ location: 'eu', count: 1 }]);
  });

  it('tells how long the fate of the oldest effect has been unknown', async () => {
    await scene.request({ targets: ['prod'] });
    const [message] = await scene.takeMessages();
    if (message === undefined) throw new Error('nothing was dispatched');
    const { journal, target } = await scene.open(message);
    await journal.intendManifest(target, image);
    await scene.database.tables.$executeRaw`UPDATE effect SET intended_at = now() - interval '10 minutes'`;

    expect((await readSystemState(scene.database)).unsettledEffectAge).toBeGreaterThanOrEqual(600);
  });
});
