import type { Clock } from '@waybill/kernel';
import type { Metrics } from '@waybill/observability';
import type { Delivery, NotificationIntake, Told } from '@waybill/persistence';
import { GatherDeliveries } from './gather-deliveries.js';
import { readEvent, type ReadEvent } from './read-event.js';
import { Recently } from './recently.js';
import type { Sender } from './senders.js';

export interface TakeNotificationsOptions {
  readonly intake: Pick<NotificationIntake, 'take'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Retention counts in days: that something was pulled is written once in a minute. */
const pullsForMs = 60_000;
const instancesForMs = 5_000;
const maxRemembered = 20_000;

/** Takes in a delivery. What it resolves for is kept, or need not be: the registry may forget it. */
export class TakeNotifications {
  readonly #gather: GatherDeliveries;
  readonly #pulls: Recently;
  readonly #instances: Recently;
  readonly #counter;

  constructor({ intake, metrics, clock }: TakeNotificationsOptions) {
    this.#gather = new GatherDeliveries(intake);
    this.#pulls = new Recently({ forMs: pullsForMs, max: maxRemembered, clock });
    this.#instances = new Recently({ forMs: instancesForMs, max: maxRemembered, clock });
    this.#counter = metrics.counter({
      name: 'registry_events_total',
      help: 'Events that registries told of, by registry and what they were taken for.',
      labels: ['registry', 'taken'],
    });
  }

  /** @throws ApiError `unavailable` when too much waits to be written; the registry sends it again */
  async take(sender: Sender, events: readonly unknown[]): Promise<void> {
    const read = events.map((event) => readEvent(event, sender));
    const delivery = this.#deliveryOf(sender, read);
    if (!isEmpty(delivery)) await this.#gather.take(delivery);
    for (const instance of delivery.instances) this.#instances.note(keyOf(sender, instance));
    for (const told of delivery.told) if (told.what === 'pulled') this.#pulls.note(keyOf(sender, pullOf(told)));
    for (const one of read) this.#counter.add({ registry: sender.name, taken: one.kind === 'told' ? one.told.what : one.kind });
  }

  #deliveryOf(sender: Sender, read: readonly ReadEvent[]): Delivery {
    const instances = new Set(read.flatMap((one) => (one.kind === 'unreadable' ? [] : [one.instance])));
    return {
      registryId: sender.registryId,
      location: sender.location,
      instances: [...instances].filter((instance) => !this.#instances.has(keyOf(sender, instance))),
      told: read.flatMap((one) => (one.kind === 'told' ? [one.told] : [])).filter((told) => !this.#isRepeatedPull(sender, told)),
      heartbeats: read.flatMap((one) => (one.kind === 'heartbeat' ? [one.id] : [])),
      isIncomplete: read.some(({ kind }) => kind === 'unreadable'),
    };
  }

  #isRepeatedPull(sender: Sender, told: Told): boolean {
    return told.what === 'pulled' && this.#pulls.has(keyOf(sender, pullOf(told)));
  }
}

function isEmpty({ instances, told, heartbeats, isIncomplete }: Delivery): boolean {
  return instances.length + told.length + heartbeats.length === 0 && !isIncomplete;
}

function keyOf({ registryId }: Sender, what: string): string {
  return `${registryId} ${what}`;
}

function pullOf({ repository, digest }: Told): string {
  return `${repository} ${digest ?? ''}`;
}
