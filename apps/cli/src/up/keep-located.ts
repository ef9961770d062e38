import { setTimeout as wait } from 'node:timers/promises';
import type { LocalRegistryProcess } from '@waybill/embedded';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';

/** How soon a registry that came back to the topology is reached again. */
const lookMs = 2_000;

export interface KeepLocatedOptions {
  /** Until when. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks. */
  readonly everyMs?: number;
}

/**
 * Tells again and again where these registries listen, as far as the topology has them and does not know: one that left it
 * is another one when it comes back, without an address, and still runs. Resolves when the signal is given; an API that is away is asked again.
 * `admin` gives its requests up with the same signal.
 */
export async function keepLocated(
  admin: Pick<WaybillApi, 'topology' | 'locateRegistry'>,
  registries: readonly Pick<LocalRegistryProcess, 'name' | 'url'>[],
  { signal, everyMs = lookMs }: KeepLocatedOptions,
): Promise<void> {
  while (!signal.aborted) {
    await wait(everyMs, undefined, { signal }).catch(() => undefined);
    await locateForgotten(admin, registries).catch((error: unknown) => {
      if (!signal.aborted && !(error instanceof ApiProblem)) throw error;
    });
  }
}

async function locateForgotten(
  admin: Pick<WaybillApi, 'topology' | 'locateRegistry'>,
  registries: readonly Pick<LocalRegistryProcess, 'name' | 'url'>[],
): Promise<void> {
  const declared = (await admin.topology()).registries;
  const forgotten = new Set(declared.flatMap(({ name, local, url }) => (local && url === undefined ? [name] : [])));
  for (const { name, url } of registries) if (forgotten.has(name)) await admin.locateRegistry(name, url);
}
