import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { named } from '../retention/inventory-rows.spec-helper.js';
import { app, HeardScene, silenceMs, told } from './heard-scene.spec-helper.js';
import type { FeedState, Heartbeat } from './notification-feeds.js';

describe('how well a registry is heard', () => {
  let heard: HeardScene;

  beforeAll(async () => {
    heard = await HeardScene.start();
  });
  afterAll(() => heard.scene.close());
  beforeEach(() => heard.begin());

  const known = async (): Promise<number | 'unknown'> => (await state()).knownSince?.getTime() ?? 'unknown';

  async function state(): Promise<FeedState> {
    const found = (await heard.feeds.states()).find(({ registry }) => registry === 'ci');
    if (found === undefined) throw new Error('ci is not heard');
    return found;
  }

  async function beat(): Promise<Heartbeat> {
    await heard.tables.$executeRaw`UPDATE notification_feed SET next_beat_at = now()`;
    const begun = await heard.feeds.beginBeat(['eu']);
    if (begun === undefined) throw new Error('no heartbeat is due');
    return begun;
  }

  /** A heartbeat that is served, and told of by this process of the registry. */
  async function heartbeat(instance = 'one'): Promise<void> {
    const { id } = await beat();
    await heard.take({ instances: [instance], heartbeats: [id] });
  }

  /** Known since a moment ago. */
  async function listen(): Promise<number> {
    await heard.take({ instances: ['one'] });
    await heartbeat();
    const since = await known();
    if (since === 'unknown') throw new Error('nothing is known');
    return since;
  }

  it('is unknown until a heartbeat is heard of a process that is known', async () => {
    expect(await known()).toBe('unknown');
    await heard.tables.$executeRaw`UPDATE notification_feed SET next_beat_at = now()`;
    expect(await heard.feeds.beginBeat('all')).toBeUndefined();
    await heard.take({ instances: ['one'] });
    expect(await known()).toBe('unknown');
    await heartbeat();

    expect(await known()).toEqual(expect.any(Number));
    expect(await state()).toMatchObject({ gapReason: 'instance', gaps: 0, silenceMs });
  });

  it('stays the same as long as heartbeats follow each other', async () => {
    await listen();
    await heard.later(silenceMs - 5_000);
    const before = await known();
    await heartbeat();
    await heard.later(silenceMs - 5_000);

    expect(await known()).toBe((before as number) - (silenceMs - 5_000));
  });

  it('begins anew with another process of the registry', async () => {
    const since = await listen();
    await heartbeat('two');

    expect(await known()).toBe('unknown');
    await heartbeat('two');
    expect(await known()).toBeGreaterThan(since);
    expect(await state()).toMatchObject({ gapReason: 'instance', gaps: 1 });
  });

  it('is unknown during a silence and begins anew after it, whether or not anybody looked', async () => {
    const since = await listen();
    await heard.later(silenceMs + 1_000);
    expect(await known()).toBe('unknown');
    await heard.tables.$executeRaw`UPDATE notification_instance SET last_heard_at = now()`;
    const { id } = await heardOnly();

    await heard.take({ heartbeats: [id] });

    expect(await known()).toBeGreaterThan(since);
    expect(await state()).toMatchObject({ gapReason: 'silence', gaps: 1 });
  });

  /** A heartbeat of a worker that does not look for silences. */
  async function heardOnly(): Promise<{ readonly id: string }> {
    const [row] = await heard.tables.$queryRaw<{ id: string }[]>`
      INSERT INTO notification_heartbeat (id, registry_id) VALUES (gen_random_uuid(), ${heard.ci}::uuid) RETURNING id`;
    return row ?? { id: '' };
  }

  it('is unknown when a heartbeat was served and not told of', async () => {
    await listen();
    const lost = await beat();
    await heard.feeds.answered(lost);
    await heard.later(silenceMs / 2);
    await heartbeat();
    expect(await known()).not.toBe('unknown');
    await heard.later(silenceMs / 2 + 1_000);

    await beat();

    expect(await state()).toMatchObject({ gapReason: 'heartbeat', knownSince: undefined });
  });

  it('does not mind a heartbeat that was not served, nor one of a worker that died', async () => {
    await listen();
    await heard.feeds.unanswered(await beat());
    await beat();
    await heard.later(silenceMs - 5_000);
    await heartbeat();
    await heard.later(10_000);
    await heartbeat();

    expect(await known()).not.toBe('unknown');
  });

  it('is unknown when one of several processes falls silent', async () => {
    await heard.take({ instances: ['one', 'two'] });
    await listen();
    await heard.later(silenceMs - 5_000);
    await heartbeat();
    await heard.later(10_000);
    await heartbeat();

    expect(await state()).toMatchObject({ gapReason: 'instance', gaps: 1 });
    await heartbeat();
    expect(await known()).not.toBe('unknown');
  });

  it('is unknown when something could not be understood', async () => {
    await listen();
    await heard.take({ isIncomplete: true });

    expect(await known()).toBe('unknown');
    expect(await state()).toMatchObject({ gapReason: 'unreadable' });
  });

  it('is not made up by another registry', async () => {
    await heard.take({ instances: ['one'] });
    const { id } = await beat();
    await heard.take({ registryId: heard.prod, heartbeats: [id] });

    expect(await known()).toBe('unknown');
    await heard.take({ heartbeats: [id] });
    expect(await known()).not.toBe('unknown');
  });

  it('is tried with a manifest that is there, as often as is needed, where the registry stands', async () => {
    await heard.take({ instances: ['one'] });
    await heard.take({ registryId: heard.prod, instances: ['one'] });
    const { registry, manifest } = await beat();

    expect(registry).toMatchObject({ name: 'ci', id: heard.ci });
    expect(manifest).toMatchObject({ repository: app });
    expect([named('image'), named('index')]).toContain(manifest?.digest);
    expect(await heard.feeds.beginBeat(['eu'])).toBeUndefined();
    expect(await heard.feeds.beginBeat(['us'])).toMatchObject({ registry: { name: 'prod' }, manifest: undefined });
    await heard.later(silenceMs / 3);
    expect(await heard.feeds.beginBeat('all')).toBeDefined();
  });

  it('is tried with something else when that is not there any more', async () => {
    await heard.take({ instances: ['one'] });
    const lost = await beat();
    await heard.feeds.missing(lost);

    expect(await heard.references()).toEqual([`${lost.manifest?.digest ?? ''} deleted`]);
    expect(await heard.tables.notificationHeartbeat.count()).toBe(0);
  });

  it('is forgotten of a registry that is to tell nothing any more', async () => {
    await listen();
    await heard.take({ told: [told('pushed', { name: 'a' })] });
    await heard.feeds.declare([{ name: 'prod', location: 'us', silenceMs }]);

    expect((await heard.feeds.states()).map(({ registry }) => registry)).toEqual(['prod']);
    expect(await heard.references()).toEqual([]);
  });
});
