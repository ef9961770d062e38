import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, parseRepositoryName, type Tag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { Metrics } from '@waybill/observability';
import { NotificationFeeds, NotificationHints, NotificationIntake, type Told, TopologyRevisions } from '@waybill/persistence';
import {
  buildImage,
  buildIndex,
  type BuiltContent,
  describeWith,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
  until,
} from '@waybill/testing';
import { logged } from '../../infrastructure/logged.spec-helper.js';
import { RecordedPromotions, topologyAt } from '../../recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { measureFeeds } from './feed-gauges.js';
import { FollowHints } from './follow-hints.js';
import { SendHeartbeats } from './send-heartbeats.js';
import { ToldRegistries } from './told-registries.js';

const app = parseRepositoryName('team-a/app');
const leaseMs = 60_000;
const silenceMs = 60_000;
const [amd, arm] = [buildImage({ seed: 1 }), buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })];
const index = buildIndex([amd, arm]);

/** A registry `ci` that tells what happens there, and workers that ask it. */
class ToldScene {
  readonly log = logged();
  readonly registries: ToldRegistries;
  readonly feeds: NotificationFeeds;
  readonly registryId: string;

  private constructor(
    readonly recorded: RecordedPromotions,
    registryId: string,
  ) {
    const { database } = recorded;
    const config = { secrets: { prefix: 'WAYBILL_SECRET_' } } as const;
    const options = { config, revisions: new TopologyRevisions(database), metrics: new Metrics(), logger: this.log.logger };
    this.registries = new ToldRegistries(options);
    this.feeds = new NotificationFeeds(database);
    this.registryId = registryId;
  }

  static async open(url: string): Promise<ToldScene> {
    const recorded = await RecordedPromotions.open(topologyAt({ ci: url }));
    const registry = await recorded.database.tables.registry.findFirstOrThrow({ where: { name: 'ci' } });
    const scene = new ToldScene(recorded, registry.id);
    await scene.feeds.declare([{ name: 'ci', location: 'eu', silenceMs }]);
    return scene;
  }

  get tables() {
    return this.recorded.database.tables;
  }

  async close(): Promise<void> {
    this.registries.close();
    await this.recorded.close();
  }

  async take(
    told: readonly Omit<Told, 'eventId' | 'repository'>[],
    more: { readonly instances?: string[]; readonly heartbeats?: string[] } = {},
  ) {
    const events = told.map((one) => ({ ...one, eventId: uuidV7.next(), repository: app }));
    const delivery = { registryId: this.registryId, location: 'eu', instances: [], heartbeats: [], isIncomplete: false, ...more };
    await new NotificationIntake(this.recorded.database).take([{ ...delivery, told: events }]);
    await this.tables.$executeRaw`UPDATE notification_hint SET due_at = now()`;
  }

  /** Asks about all that is due, to the end. */
  async follow(): Promise<void> {
    const hints = new NotificationHints(this.recorded.database, { leaseMs });
    const { registries, log } = this;
    const worker = new FollowHints({ hints, leaseMs, registries, locations: 'all', concurrency: 1, logger: log.logger });
    let ended = 0;
    let begun = 0;
    do {
      begun += await worker.begin(() => (ended += 1));
      await until('the look has ended', () => ended === begun);
    } while ((await this.tables.notificationHint.count({ where: { dueAt: { lte: new Date() } } })) > 0);
    await worker.close();
  }

  async beat(): Promise<void> {
    await this.tables.$executeRaw`UPDATE notification_feed SET next_beat_at = now()`;
    const { feeds, registries, log } = this;
    const worker = new SendHeartbeats({ feeds, registries, locations: 'all', concurrency: 1, logger: log.logger });
    let hasEnded = false;
    expect(await worker.begin(() => (hasEnded = true))).toBe(1);
    await until('the heartbeat has ended', () => hasEnded);
    await worker.close();
  }

  async tag(name: string): Promise<string | undefined> {
    const [row] = await this.tables.$queryRaw<{ digest: string; source: string }[]>`
      SELECT digest_text(t.digest) AS digest, t.tagged_at_source AS source FROM tag t WHERE t.name = ${name} AND t.gone_at IS NULL`;
    return row === undefined ? undefined : `${row.source} ${row.digest}`;
  }

  async placed(): Promise<Record<string, { readonly pushed: string | null; readonly pulled: boolean }>> {
    const rows = await this.tables.$queryRaw<{ digest: string; source: string | null; pulled: boolean }[]>`
      SELECT digest_text(digest) AS digest, pushed_at_source AS source, last_pulled_at IS NOT NULL AS pulled FROM placement WHERE seen_until IS NULL`;
    return Object.fromEntries(rows.map(({ digest, source, pulled }) => [digest, { pushed: source, pulled }]));
  }

  async known(): Promise<Date | undefined> {
    return (await this.feeds.states())[0]?.knownSince;
  }
}

describe('what a registry told', () => {
  let registry: RegistryUnderTest;
  let scene: ToldScene;

  beforeEach(async () => {
    registry = await RegistryUnderTest.start();
    scene = await ToldScene.open(registry.url);
  });
  afterEach(async () => {
    await scene.close();
    await registry.stop();
  });

  async function push(content: BuiltContent, ...tags: readonly string[]): Promise<void> {
    await pushBuilt(registry.repository(app), content);
    for (const tag of tags) await registry.repository(app).putTag(tag as Tag, content.manifest);
    registry.requests.length = 0;
  }

  const manifest = (of: Digest | string): string => `/v2/${app}/manifests/${of}`;

  it('is asked about: a tag by one HEAD, and manifests are read once', async () => {
    await push(index, '1.0.0');
    const pushed = [amd, arm, index].map(({ manifest: { digest } }) => ({ what: 'pushed' as const, digest }));
    await scene.take([...pushed, { what: 'pushed', digest: index.manifest.digest, tag: '1.0.0' as Tag }]);
    await scene.follow();

    expect(await scene.tag('1.0.0')).toBe(`notification ${index.manifest.digest}`);
    const expected = [amd, arm, index].map(({ manifest: { digest } }) => [digest, { pushed: 'notification', pulled: false }]);
    expect(await scene.placed()).toEqual(Object.fromEntries(expected));
    const asked = registry.requests.filter((request) => request.includes('/manifests/'));
    expect(asked.sort()).toEqual(
      [`HEAD ${manifest('1.0.0')}`, ...[amd, arm, index].map((one) => `GET ${manifest(one.manifest.digest)}`)].sort(),
    );

    registry.requests.length = 0;
    await scene.take([{ what: 'pushed', digest: index.manifest.digest, tag: 'latest' as Tag }]);
    await scene.follow();

    expect(registry.requests).toEqual([`HEAD ${manifest('latest')}`]);
    expect(await scene.tag('latest')).toBeUndefined();
  });

  it('counts as the registry says it is, not as it was told', async () => {
    await push(arm, 'latest');
    await scene.take([{ what: 'pushed', digest: amd.manifest.digest, tag: 'latest' as Tag }]);
    await scene.follow();

    expect(await scene.tag('latest')).toBe(`notification ${arm.manifest.digest}`);
    expect(Object.keys(await scene.placed())).toEqual([arm.manifest.digest]);
  });

  it('is gone with its tags when it was deleted and is not there', async () => {
    await push(amd, 'one', 'two');
    await scene.take([
      { what: 'pushed', digest: amd.manifest.digest, tag: 'one' as Tag },
      { what: 'pushed', tag: 'two' as Tag },
    ]);
    await scene.follow();
    await scene.take([{ what: 'deleted', digest: amd.manifest.digest }]);
    await scene.follow();
    expect(await scene.tag('one')).toBe(`notification ${amd.manifest.digest}`);

    await registry.repository(app).deleteManifest(amd.manifest.digest);
    await scene.take([{ what: 'deleted', digest: amd.manifest.digest }]);
    await scene.follow();

    expect([await scene.tag('one'), await scene.tag('two')]).toEqual([undefined, undefined]);
    expect(await scene.placed()).toEqual({});
  });

  it('was pulled before anybody knew that it was there', async () => {
    await push(amd);
    await scene.take([{ what: 'pulled', digest: amd.manifest.digest }]);
    expect(await scene.placed()).toEqual({});
    await scene.follow();

    expect(await scene.placed()).toEqual({ [amd.manifest.digest]: { pushed: null, pulled: true } });
  });

  it('is found to be gone by a heartbeat that needs it', async () => {
    await push(amd);
    await scene.take([{ what: 'pushed', digest: amd.manifest.digest }], { instances: ['one'] });
    await scene.follow();
    await registry.repository(app).deleteManifest(amd.manifest.digest);

    await scene.beat();
    await scene.tables.$executeRaw`UPDATE notification_hint SET due_at = now()`;
    await scene.follow();

    expect(await scene.placed()).toEqual({});
    expect(await scene.tables.notificationHeartbeat.count()).toBe(0);
  });

  it('was pushed and is gone before anybody asked', async () => {
    await scene.take([{ what: 'pushed', digest: amd.manifest.digest, tag: 'latest' as Tag }]);
    await scene.follow();

    expect(await scene.tag('latest')).toBeUndefined();
    expect(await scene.placed()).toEqual({});
    expect(await scene.tables.unreadableManifest.count()).toBe(0);
    expect(await scene.tables.notificationHint.count()).toBe(0);
  });

  it.each([
    [401, 'denied'],
    [503, 'in trouble'],
  ])('is asked about another time by a registry that answers %d', async (status) => {
    await push(amd, 'latest');
    await scene.take([{ what: 'pushed', digest: amd.manifest.digest, tag: 'latest' as Tag }]);
    registry.fault = () => ({ status });
    await scene.follow();
    expect(await scene.tag('latest')).toBeUndefined();
    expect(await scene.tables.notificationHint.findMany()).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);

    registry.fault = undefined;
    await scene.tables.$executeRaw`UPDATE notification_hint SET due_at = now()`;
    await scene.follow();

    expect(await scene.tag('latest')).toBe(`notification ${amd.manifest.digest}`);
  });

  describeWith('docker-registry', 'as a real one tells it', () => {
    let real: RunningRegistry;
    let sink: Server;
    let told: ToldScene;
    const agents: string[] = [];

    beforeEach(async () => {
      agents.length = 0;
      sink = createServer((request, response) => {
        void text(request).then((body) => {
          const { events } = JSON.parse(body) as { events: { request: { useragent: string } }[] };
          agents.push(...events.map((event) => event.request.useragent));
          response.end();
        });
      }).listen(0, '127.0.0.1');
      await once(sink, 'listening');
      const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
      real = await startDockerRegistry({ notifications: { url, authorization: 'Bearer x' } });
      told = await ToldScene.open(real.url);
    });
    afterEach(async () => {
      await told.close();
      await real.stop();
      sink.close();
    });

    it('has heartbeats by name, which make pulls known, and none while it is away', async () => {
      const opened = await told.registries.open({ name: 'ci', address: undefined });
      const client = new RegistryClient({ origin: real.url });
      await pushBuilt(client.repository(app), amd);
      client.close();
      expect(opened).toBeDefined();
      await told.take([{ what: 'pushed', digest: amd.manifest.digest }], { instances: ['one'] });
      await told.follow();
      agents.length = 0;

      await told.beat();

      await until('the heartbeat was told', () => agents.length > 0);
      const [, heartbeat = ''] = /^waybill \(heartbeat (.*)\)$/.exec(agents[0] ?? '') ?? [];
      expect(await told.tables.notificationHeartbeat.findMany()).toMatchObject([{ id: heartbeat, answeredAt: expect.any(Date) }]);
      await told.take([], { instances: ['one'], heartbeats: [heartbeat] });
      const since = await told.known();
      expect(since).toBeDefined();

      await real.restart({ htpasswd: { username: 'a', password: 'b' } });
      await told.beat();

      expect(await told.tables.notificationHeartbeat.count()).toBe(0);
      expect(await told.known()).toEqual(since);
      const metrics = new Metrics();
      measureFeeds({ metrics, readStates: () => told.feeds.states(), logger: told.log.logger });
      const figures = await metrics.text();
      expect(figures).toMatch(/^waybill_pulls_known_seconds\{registry="ci"\} \d/m);
      expect(figures).toMatch(/^waybill_notification_gaps_total\{registry="ci"\} 0$/m);
    });
  });
});
