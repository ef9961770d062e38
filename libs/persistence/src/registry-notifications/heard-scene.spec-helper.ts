import { uuidV7 } from '@waybill/kernel';
import type { Digest, RepositoryName, Tag } from '@waybill/oci-model';
import { named, seedRepository } from '../retention/inventory-rows.spec-helper.js';
import { Scene } from '../scene.spec-helper.js';
import { NotificationFeeds } from './notification-feeds.js';
import { NotificationHints } from './notification-hints.js';
import { NotificationIntake, type NotificationIntakeOptions } from './notification-intake.js';
import type { Delivery, Told } from './told.js';

export const app = 'team-a/app' as RepositoryName;
export const silenceMs = 60_000;

/** Two registries that tell what happens there; `ci` holds an index and its image. */
export class HeardScene {
  readonly scene: Scene;
  readonly feeds: NotificationFeeds;
  readonly hints: NotificationHints;
  readonly ci: string;
  readonly prod: string;

  private constructor(scene: Scene, ids: { readonly ci: string; readonly prod: string }) {
    this.scene = scene;
    this.feeds = new NotificationFeeds(scene.database);
    this.hints = new NotificationHints(scene.database, { leaseMs: 60_000 });
    this.ci = ids.ci;
    this.prod = ids.prod;
  }

  static async start(): Promise<HeardScene> {
    const scene = await Scene.start();
    const rows = await scene.database.tables.registry.findMany();
    const idOf = (name: string): string => rows.find((row) => row.name === name)?.id ?? '';
    const heard = new HeardScene(scene, { ci: idOf('ci'), prod: idOf('prod') });
    await seedRepository(scene.database, {
      registryId: heard.ci,
      repository: app,
      manifests: { image: {}, index: { children: ['image'] } },
      tags: { latest: 'index' },
    });
    return heard;
  }

  get tables() {
    return this.scene.database.tables;
  }

  /** As if nothing had ever been told. */
  async begin(): Promise<void> {
    await this.tables.$executeRaw`
      TRUNCATE notification_feed, notification_instance, notification_heartbeat, notification_event, notification_hint`;
    await this.tables.$executeRaw`UPDATE placement SET last_pulled_at = NULL, pushed_at = NULL, pushed_at_source = NULL`;
    await this.feeds.declare([
      { name: 'ci', location: 'eu', silenceMs },
      { name: 'prod', location: 'us', silenceMs },
    ]);
  }

  intake(options: NotificationIntakeOptions = {}): NotificationIntake {
    return new NotificationIntake(this.scene.database, options);
  }

  delivery(delivery: Partial<Delivery>): Delivery {
    return { registryId: this.ci, location: 'eu', instances: [], told: [], heartbeats: [], isIncomplete: false, ...delivery };
  }

  take(delivery: Partial<Delivery>) {
    return this.intake().take([this.delivery(delivery)]);
  }

  /** Lets time pass for all that is known of feeds. */
  async later(ms: number): Promise<void> {
    const by = ms;
    await this.tables.$executeRaw`
      UPDATE notification_feed SET next_beat_at = next_beat_at - ${by} * interval '1 ms', heard_at = heard_at - ${by} * interval '1 ms',
        known_since = known_since - ${by} * interval '1 ms', gap_at = gap_at - ${by} * interval '1 ms'`;
    await this.tables.$executeRaw`UPDATE notification_instance SET last_heard_at = last_heard_at - ${by} * interval '1 ms'`;
    await this.tables.$executeRaw`
      UPDATE notification_heartbeat SET sent_at = sent_at - ${by} * interval '1 ms', answered_at = answered_at - ${by} * interval '1 ms'`;
    await this.tables.$executeRaw`UPDATE notification_hint SET due_at = due_at - ${by} * interval '1 ms'`;
  }

  async placed(name: string) {
    return await this.tables.placement.findFirst({ where: { digest: Buffer.from(named(name).slice(7), 'hex'), seenUntil: null } });
  }

  async references(): Promise<string[]> {
    const rows = await this.tables.notificationHint.findMany({ orderBy: { reference: 'asc' } });
    return rows.map(({ reference, pushedAt, pulledAt, deletedAt }) => {
      const whats = Object.entries({ pushed: pushedAt, pulled: pulledAt, deleted: deletedAt }).filter(([, at]) => at !== null);
      return [reference, ...whats.map(([what]) => what)].join(' ');
    });
  }
}

export function told(what: Told['what'], { name, tag, eventId = uuidV7.next() }: { name?: string; tag?: string; eventId?: string }): Told {
  return {
    eventId,
    what,
    repository: app,
    ...(name === undefined ? {} : { digest: named(name) satisfies Digest }),
    ...(tag === undefined ? {} : { tag: tag as Tag }),
  };
}
