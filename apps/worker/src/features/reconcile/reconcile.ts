import type { Digest } from '@waybill/oci-model';
import type { CounterMetric, Logger } from '@waybill/observability';
import type { Leftovers, OpenEffect, OpenEffects } from '@waybill/persistence';
import type { RegistryEffects } from './registry-effects.js';

/** How long a registry may take to show one effect, in milliseconds. */
const readMs = 10_000;

export interface ReconcileOptions {
  readonly effects: Pick<OpenEffects, 'claim' | 'settle' | 'settleUnreadable'>;
  readonly leftovers: Pick<Leftovers, 'redispatchStranded' | 'settleEnded' | 'releaseTagLeases'>;
  /** Reads by the topology that is active now. */
  readonly openRegistries: () => Promise<Pick<RegistryEffects, 'read'>>;
  /** Where this worker reaches registries. */
  readonly locations: readonly string[] | 'all';
  /** Counts what was brought to its end, by what it was. */
  readonly reconciled: CounterMetric<'what'>;
  readonly logger: Logger;
}

/**
 * Finishes what was left over: effects that their run could not read back, targets that nobody is sent to, promotions
 * without the end that they have reached, leases on tags that have run out. Any number of workers may do so at once;
 * what a run holds is left to it.
 */
export class Reconcile {
  readonly #options: ReconcileOptions;
  readonly #stop = new AbortController();

  constructor(options: ReconcileOptions) {
    this.#options = options;
  }

  /** Gives how much was looked after. */
  async round(): Promise<number> {
    const { leftovers } = this.#options;
    const effects = await this.#settleEffects();
    const dispatches = this.#note('dispatch', await leftovers.redispatchStranded());
    const promotions = this.#note('promotion', await leftovers.settleEnded());
    const tagLeases = this.#note('tag-lease', await leftovers.releaseTagLeases());
    const found = effects.settled + dispatches + promotions + tagLeases;
    if (found > 0) {
      this.#options.logger.info({ effects: effects.settled, dispatches, promotions, tagLeases }, 'finished what was left over');
    }
    return effects.claimed + dispatches + promotions + tagLeases;
  }

  /** Reads nothing more. */
  stop(): void {
    this.#stop.abort(new Error('the worker shuts down'));
  }

  #note(what: string, count: number): number {
    if (count > 0) this.#options.reconciled.add({ what }, count);
    return count;
  }

  async #settleEffects(): Promise<{ readonly claimed: number; readonly settled: number }> {
    const { effects, locations, openRegistries } = this.#options;
    const unreadable = this.#note('effect', await effects.settleUnreadable());
    const claimed = await effects.claim(locations);
    if (claimed.length === 0) return { claimed: unreadable, settled: unreadable };
    const registries = await openRegistries();
    const settled = await Promise.all(groupsOf(claimed, ({ registry }) => registry).map((ofOne) => this.#settleAt(ofOne, registries)));
    const sum = settled.reduce((total, count) => total + count, 0);
    return { claimed: unreadable + claimed.length, settled: unreadable + this.#note('effect', sum) };
  }

  /** Effects at one registry. One that does not answer once is not asked for the rest: they are due again later. */
  async #settleAt(effects: readonly OpenEffect[], registries: Pick<RegistryEffects, 'read'>): Promise<number> {
    const { logger } = this.#options;
    const seen: SeenEffect[] = [];
    try {
      for (const effect of effects) seen.push({ effect, found: await registries.read(effect, this.#readSignal()) });
    } catch (err) {
      logger.warn({ err, registry: effects[0]?.registry, effects: effects.length - seen.length }, 'effects cannot be read back yet');
    }
    let settled = 0;
    for (const ofTarget of groupsOf(seen, ({ effect }) => effect.itemTargetId)) settled += await this.#settle(ofTarget);
    return settled;
  }

  async #settle(seen: readonly SeenEffect[]): Promise<number> {
    const [first] = seen;
    if (first === undefined) return 0;
    const readBack = seen.map(({ effect, found }) => ({ effectId: effect.id, found }));
    return await this.#options.effects.settle(first.effect, readBack);
  }

  #readSignal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(readMs)]);
  }
}

interface SeenEffect {
  readonly effect: OpenEffect;
  readonly found: Digest | undefined;
}

function groupsOf<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}
