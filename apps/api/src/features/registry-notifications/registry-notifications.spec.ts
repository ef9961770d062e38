import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { localNotificationSecret } from '@waybill/config';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, digestOf, mediaType, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { Database, NotificationFeeds } from '@waybill/persistence';
import {
  buildImage,
  buildIndex,
  describeWith,
  findServer,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
  until,
} from '@waybill/testing';
import { allBut, type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';

const notificationKey = '5'.repeat(64);
const secret = localNotificationSecret(notificationKey, 'ci');
const path = '/api/v1/registries/ci/notifications';
const eventType = 'application/vnd.docker.distribution.events.v1+json';

const source = `
apiVersion: waybill/v1
kind: Topology
metadata: { name: spec }
locations: { eu: {} }
registries:
  ci: { role: ci-snapshots, location: eu, local: true, prefix: acme, notifications: { ignore: { userAgents: ["Trivy/*"], actors: [mirror] } } }
  far: { role: staging, location: eu, url: "https://far.example", notifications: { secret: far-shows } }
  dumb: { role: staging, location: eu, url: "https://dumb.example" }
`;

interface Event {
  readonly id?: string;
  readonly action?: string;
  readonly target?: object;
  readonly agent?: string;
  readonly actor?: string;
}

/** Others in every test: what was just written is not written again. */
let digest = digestOf(Buffer.from('an image'));
let instance = 'one';

function event({ id = uuidV7.next(), action = 'pull', target = {}, agent = 'containerd/2.0', actor = '' }: Event = {}) {
  return {
    id,
    timestamp: '2026-05-01T10:00:00Z',
    action,
    target: { mediaType: mediaType.ociManifest, digest, repository: 'acme/team-a/app', url: 'https://evil.example/v2/', ...target },
    request: { id: uuidV7.next(), addr: '10.0.0.1:4711', host: 'evil.example', method: 'GET', useragent: agent },
    actor: { name: actor },
    source: { addr: 'registry:5000', instanceID: instance },
  };
}

describe('notifications of a registry', () => {
  let api: ApiUnderTest;
  let feeds: NotificationFeeds;
  let folder: string;

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'waybill-secrets-'));
    await writeFile(join(dir, 'far-shows'), 'far:shown');
    folder = dir;
    api = await startApi({ config: { notificationKey, secrets: { prefix: 'WAYBILL_SECRET_', dir } } });
    const applied = await api.send('PUT', '/api/v1/topology', { body: { source } });
    if (applied.status !== 200) throw new Error(applied.text);
    feeds = new NotificationFeeds(tables.database());
  });
  afterAll(async () => {
    await api.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    instance = uuidV7.next();
    digest = digestOf(Buffer.from(instance));
    await tables.all().$executeRaw`
      TRUNCATE notification_feed, notification_instance, notification_heartbeat, notification_event, notification_hint`;
    await feeds.declare([{ name: 'ci', location: 'eu', silenceMs: 60_000 }]);
  });

  const tables = { database: () => api.app.get(Database), all: () => api.app.get(Database).tables };

  function tell(events: readonly unknown[], { to = path, authorization = `Bearer ${secret}`, type = eventType } = {}): Promise<Answer> {
    return api.send('POST', to, { key: null, body: { events }, headers: { authorization, 'content-type': type } });
  }

  async function hints(): Promise<string[]> {
    const rows = await tables.all().notificationHint.findMany({ orderBy: [{ repository: 'asc' }, { reference: 'asc' }] });
    return rows.map(({ repository, reference }) => `${repository} ${reference}`);
  }

  async function instances(): Promise<string[]> {
    const rows = await tables.all().notificationInstance.findMany({ orderBy: { id: 'asc' } });
    return rows.map(({ id }) => id);
  }

  const gapReason = async (): Promise<string | undefined> => (await feeds.states())[0]?.gapReason;

  it('are taken in with the secret of the registry, as either kind of event and as plain JSON', async () => {
    for (const type of [eventType, eventType.replace('v1', 'v2'), 'application/json']) {
      expect(await tell([event()], { type })).toMatchObject({ status: 204, text: '' });
    }
    expect(await hints()).toEqual([`team-a/app ${digest}`]);
    expect(await instances()).toEqual([instance]);
  });

  it('are taken in with a user name and a password as well', async () => {
    const authorization = `Basic ${Buffer.from('far:shown').toString('base64')}`;
    const to = path.replace('/ci/', '/far/');

    expect((await tell([], { to, authorization })).status).toBe(204);
    expect((await tell([], { to, authorization: 'Bearer far:shown' })).status).toBe(204);
    expect((await tell([], { to })).status).toBe(401);
  });

  it.each<[string, { readonly to?: string; readonly authorization?: string }]>([
    ['a wrong secret', { authorization: 'Bearer wrong' }],
    ['no secret', { authorization: '' }],
    ['a registry that nobody knows', { to: path.replace('/ci/', '/nobody/') }],
    ['a registry that is to tell nothing', { to: path.replace('/ci/', '/dumb/') }],
  ])('are refused with %s, and nobody can tell which it was', async (_what, how) => {
    const problem = problemIn(await tell([event()], how));

    expect(problem).toMatchObject({
      status: 401,
      code: 'unauthenticated',
      detail: 'no registry of this name shows this secret with its notifications',
    });
    expect(await hints()).toEqual([]);
  });

  it('are refused before anything of them is read', async () => {
    const answer = await api.send('POST', path, {
      key: null,
      body: '{',
      headers: { authorization: 'Bearer wrong', 'content-type': 'text/plain' },
    });

    expect(answer.status).toBe(401);
  });

  it('are refused when they are too large, none, or of another type', async () => {
    const large = { events: [], padding: 'x'.repeat(10 * 1024 * 1024) };
    const headers = { authorization: `Bearer ${secret}`, 'content-type': eventType };

    expect(problemIn(await api.send('POST', path, { key: null, body: large, headers }))).toMatchObject({ status: 413 });
    expect(problemIn(await api.send('POST', path, { key: null, body: '{', headers }))).toMatchObject({
      status: 400,
      code: 'malformed-json',
    });
    expect(problemIn(await api.send('POST', path, { key: null, body: {}, headers }))).toMatchObject({ status: 422 });
    expect(problemIn(await tell([], { type: 'text/plain' }))).toMatchObject({ status: 415 });
  });

  it.each<[string, Event]>([
    ['of a repository outside of the prefix', { target: { repository: 'other/team-a/app' } }],
    ['of a repository that is like the prefix', { target: { repository: 'acmeteam/app' } }],
    ['of no repository name', { target: { repository: 'acme/../app' } }],
    ['of what we pull ourselves', { agent: 'waybill' }],
    ['of what we push ourselves', { agent: 'waybill', action: 'push' }],
    ['of pulls of a scanner', { agent: 'Trivy/0.50 (linux)' }],
    ['of pulls of another registry', { actor: 'mirror' }],
    ['of a blob', { target: { mediaType: 'application/octet-stream' } }],
    ['of a mounted blob', { action: 'mount', target: { mediaType: 'application/octet-stream', fromRepository: 'acme/other' } }],
    ['of what checks leave behind', { action: 'push', target: { repository: 'acme/waybill-check/one' } }],
    ['of something else', { action: 'sneeze' }],
  ])('say nothing %s, but that the registry is heard', async (_what, told) => {
    expect((await tell([event(told)])).status).toBe(204);

    expect(await hints()).toEqual([]);
    expect(await instances()).toEqual([instance]);
    expect(await gapReason()).toBe('instance');
  });

  it.each<[string, () => unknown]>([
    ['of no digest', () => event({ target: { digest: 'latest' } })],
    ['of nothing', () => ({})],
    ['of a process without an id', () => ({ ...event(), source: {} })],
    ['of what no database can hold', () => event({ id: 'a\u0000b' })],
    ['of a deletion of nothing', () => event({ action: 'delete', target: { digest: undefined } })],
  ])('leave what was pulled unknown when one tells %s', async (_what, told) => {
    expect((await tell([told(), event({ action: 'push', target: { tag: 'latest' } })])).status).toBe(204);

    expect(await gapReason()).toBe('unreadable');
    expect(await hints()).toEqual([`team-a/app latest`, `team-a/app ${digest}`]);
  });

  it('lead to questions about tags and digests, once for each event', async () => {
    const push = event({ action: 'push', target: { tag: 'latest' }, agent: 'Trivy/0.50' });
    const deletion = event({ action: 'delete', target: { digest: undefined, mediaType: undefined, tag: 'old' } });
    await tell([push, deletion]);
    expect(await hints()).toEqual(['team-a/app latest', 'team-a/app old', `team-a/app ${digest}`]);
    await tables.all().$executeRaw`DELETE FROM notification_hint`;

    await tell([push, deletion]);

    expect(await hints()).toEqual([]);
  });

  it('are known to operators by how complete they are', async () => {
    await tell([event()]);

    const { status, body } = await api.send('GET', path);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { registry: 'ci', heartbeatSeconds: 60, gap: { at: expect.any(String), reason: 'instance' }, gaps: 0, waiting: 1 },
    });
    expect(body).not.toHaveProperty('pullsKnownSince');
    expect(problemIn(await api.send('GET', path.replace('/ci/', '/dumb/')))).toMatchObject({ status: 404, code: 'feed-unknown' });
    const key = await api.keyWith(allBut('topology:read'));
    expect((await api.send('GET', path, { key })).status).toBe(403);
  });

  it('wait for a database that is away, at the registry', async () => {
    await tables.all().$executeRaw`ALTER TABLE notification_hint RENAME TO away`;
    try {
      expect((await tell([event({ action: 'push' })])).status).toBe(500);
    } finally {
      await tables.all().$executeRaw`ALTER TABLE away RENAME TO notification_hint`;
    }
    expect(await instances()).toEqual([]);
  });

  describeWith(['docker-registry', 'skopeo'], 'that is a real one', () => {
    let registry: RunningRegistry;
    let client: RegistryClient;

    beforeEach(async () => {
      registry = await startDockerRegistry({ notifications: { url: `${api.url}${path}`, authorization: `Bearer ${secret}` } });
      client = new RegistryClient({ origin: registry.url, prefix: parseRepositoryName('acme') });
    });
    afterEach(async () => {
      client.close();
      await registry.stop();
    });

    const app = parseRepositoryName('team-a/app');

    async function skopeo(...args: string[]): Promise<void> {
      await promisify(execFile)(findServer('skopeo')?.path ?? '', args, { timeout: 60_000 });
    }

    const reference = (name: string): string => `docker://127.0.0.1:${registry.port}/acme/${name}`;

    async function copy(from: string, to: string): Promise<void> {
      await skopeo(
        'copy',
        '--quiet',
        '--all',
        '--preserve-digests',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        reference(from),
        reference(to),
      );
    }

    async function place(known: Digest): Promise<void> {
      const { tables: all } = tables.database();
      const bytes = Buffer.from(known.slice(7), 'hex');
      await all.$executeRaw`INSERT INTO content (digest, media_type, size) VALUES (${bytes}, ${mediaType.ociManifest}, 1) ON CONFLICT DO NOTHING`;
      await all.$executeRaw`
        INSERT INTO placement (registry_id, repository, digest, seen_by)
        SELECT id, 'team-a/app', ${bytes}, gen_random_uuid() FROM registry WHERE name = 'ci' ON CONFLICT DO NOTHING`;
    }

    async function isPulled(known: Digest): Promise<boolean> {
      const bytes = Buffer.from(known.slice(7), 'hex');
      return (await tables.all().placement.findFirst({ where: { digest: bytes } }))?.lastPulledAt !== null;
    }

    it('tells of pushes, of pulls by digest alone, and of its own end by what is new', async () => {
      const [amd, arm] = [buildImage({ seed: 1 }), buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })];
      const index = buildIndex([amd, arm]);
      await pushBuilt(client.repository(app), index);
      await client.repository(app).putTag(parseTag('1.0.0'), index.manifest);
      for (const { manifest } of [amd, arm, index]) await place(manifest.digest);

      await skopeo('inspect', '--raw', '--tls-verify=false', reference('team-a/app:1.0.0'));

      await until('the pull of the index was told', () => isPulled(index.manifest.digest));
      expect([await isPulled(amd.manifest.digest), await isPulled(arm.manifest.digest)]).toEqual([false, false]);
      expect(await hints()).toEqual([]);
      const [first] = await instances();

      await copy('team-a/app:1.0.0', 'team-b/copy:2.0.0');

      await until('pushes were told', async () => (await hints()).includes('team-b/copy 2.0.0'));
      expect(await hints()).toEqual(
        ['2.0.0', ...[amd, arm, index].map(({ manifest }) => manifest.digest)].map((what) => `team-b/copy ${what}`).sort(),
      );
      await until('pulls of all were told', async () => (await isPulled(amd.manifest.digest)) && (await isPulled(arm.manifest.digest)));

      process.kill(-registry.pid, 'SIGKILL');
      await registry.restart();
      await tables.all().$executeRaw`UPDATE notification_feed SET gap_at = '2026-01-01', gap_reason = 'begun'`;
      await skopeo('inspect', '--raw', '--tls-verify=false', reference('team-a/app:1.0.0'));

      await until('another process was heard', async () => (await instances()).some((one) => one !== first));
      expect(await gapReason()).toBe('instance');
    });

    it('is not heard while it shows another secret', async () => {
      await registry.restart({ notifications: { url: `${api.url}${path}`, authorization: `Bearer wrong` } });
      await pushBuilt(client.repository(app), buildImage({ seed: 3 }));
      await until('it was refused', () => api.log.some((line) => line.includes('/notifications') && line.includes('"status":401')));

      expect(await instances()).toEqual([]);
    });
  });
});
