import { describe, expect, it } from '@jest/globals';
import type { WorkerConfig } from '@waybill/config';
import type { Notifications } from '@waybill/persistence';
import { gate, settled } from '../../infrastructure/gate.spec-helper.js';
import { logged } from '../../infrastructure/logged.spec-helper.js';
import type { CheckRegistries } from './check-registries.js';
import { CheckRegistriesModule } from './check-registries.module.js';

/** A feature whose checks end when the gate opens. */
function draining({ drainMs }: { readonly drainMs: number }) {
  const cleanedUp = gate();
  let isTold = false;
  const checks = {
    begin: () => Promise.resolve(0),
    close: () => {
      isTold = true;
      return cleanedUp.passed;
    },
  } as unknown as CheckRegistries;
  const feature = new CheckRegistriesModule(checks, {} as Notifications, { drainMs } as WorkerConfig, logged().logger);
  return { feature, cleanedUp, isTold: () => isTold };
}

describe('the end of registry checks', () => {
  it('keeps nobody from draining meanwhile, and is waited for before the process ends', async () => {
    const { feature, cleanedUp, isTold } = draining({ drainMs: 60_000 });
    let hasEnded = false;

    await feature.onModuleDestroy();
    expect(isTold()).toBe(true);
    const end = feature.beforeApplicationShutdown().then(() => (hasEnded = true));
    await settled();
    expect(hasEnded).toBe(false);
    cleanedUp.open();
    await end;

    expect(hasEnded).toBe(true);
  });

  it('is waited for no longer than the time to drain', async () => {
    const { feature } = draining({ drainMs: 1 });

    await feature.onModuleDestroy();

    await expect(feature.beforeApplicationShutdown()).resolves.toBeUndefined();
  });
});
