import { setTimeout as delay } from 'node:timers/promises';
import type { RegistryName, Servers } from './servers.js';
import type { Slot } from './slot.js';

export interface StormOptions {
  readonly kills: number;
  /** Of the database, the queue and a registry, each. */
  readonly restarts: number;
  readonly slots: readonly Slot[];
  readonly servers: Servers;
  readonly random: () => number;
  /** Called after every blow, with how much of the storm is over: from 0 to 1. */
  onBlow(over: number): void;
}

type Blow = 'kill' | 'restart database' | 'restart queue' | 'restart registry';

/** How long a process lives after it became ready, at the most; milliseconds. */
const longestLifeMs = 1_500;
const pollMs = 20;
const restarted: readonly RegistryName[] = ['prod', 'ci', 'prod-us', 'staging'];

/** Kills and restarts, in an order that depends on the seed alone; gives how long the restarts took together, in milliseconds. */
export async function blow(options: StormOptions): Promise<void> {
  const blows = planOf(options);
  let registry = 0;
  for (const [position, kind] of blows.entries()) {
    if (kind === 'kill') await killOne(options);
    else if (kind === 'restart database') await options.servers.restartDatabase();
    else if (kind === 'restart queue') await options.servers.restartQueue();
    else await options.servers.restartRegistry(restarted[registry++ % restarted.length] ?? 'prod');
    options.onBlow((position + 1) / blows.length);
  }
}

function planOf({ kills, restarts, random }: StormOptions): Blow[] {
  const blows: Blow[] = Array.from({ length: kills }, () => 'kill');
  for (let count = 0; count < restarts; count += 1) {
    for (const kind of ['restart database', 'restart queue', 'restart registry'] as const) {
      blows.splice(Math.floor(random() * (blows.length + 1)), 0, kind);
    }
  }
  return blows;
}

/** One that works: what is only starting has nothing to lose. */
async function killOne({ slots, random }: StormOptions): Promise<void> {
  const slot = slots[Math.floor(random() * slots.length)];
  const life = random() * longestLifeMs;
  while (slot?.isReady === false) await delay(pollMs);
  await delay(life);
  slot?.kill();
}
