import { describe, expect, it } from '@jest/globals';
import type { WorkerConfig } from '@waybill/config';
import type { Notifications } from '@waybill/persistence';
import { gate, settled } from '../../infrastructure/gate.spec-helper.js';
import { logged } from '../../infrastructure/logged.spec-helper.js';
import type { TrashClients } from '../../infrastructure/trash/trash-clients.js';
import type { RunRetention } from './run-retention.js';
import { RunRetentionModule } from './run-retention.module.js';

/** A feature that plans until the gate opens. */
async function planning({ drainMs }: { readonly drainMs: number }) {
  const handedOver = gate<0>();
  const begun = gate();
  let isTold = false;
  const retention = {
    tick: () => Promise.resolve(0),
    execute: () => Promise.resolve(0),
    run: () => {
      begun.open();
      return handedOver.passed;
    },
    close: () => (isTold = true),
  } as unknown as RunRetention;
  const feature = new RunRetentionModule(retention, {} as TrashClients, {} as Notifications, { drainMs } as WorkerConfig, logged().logger);
  feature.tick();
  await begun.passed;
  return { feature, handedOver, isTold: () => isTold };
}

describe('the end of planning', () => {
  it('keeps nobody from draining meanwhile, and is waited for before the process ends', async () => {
    const { feature, handedOver, isTold } = await planning({ drainMs: 60_000 });
    const told = settled().then(() => 'others wait');
    let hasEnded = false;

    const hook: { onModuleDestroy(): unknown } = feature;
    const destroyed = Promise.resolve(hook.onModuleDestroy()).then(() => 'others drain');
    expect(await Promise.race([destroyed, told])).toBe('others drain');
    expect(isTold()).toBe(true);
    const end = feature.beforeApplicationShutdown().then(() => (hasEnded = true));
    await settled();
    expect(hasEnded).toBe(false);
    handedOver.open(0);
    await end;

    expect(hasEnded).toBe(true);
  });

  it('is waited for no longer than the time to drain', async () => {
    const { feature } = await planning({ drainMs: 1 });

    feature.onModuleDestroy();

    await expect(feature.beforeApplicationShutdown()).resolves.toBeUndefined();
  });
});
