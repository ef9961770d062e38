import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Restore, RestoredManifests, RestoreList, TrashList } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, digestOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { Database, RetentionTrash, TopologyRevisions, TrashRequestLeases } from '@waybill/persistence';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

const root = '/api/v1/retention';
const week = 7 * 24 * 3_600_000;
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const release = parseTag('1.0.0');
const app = 'team-a/app';
const digestNamed = (name: string): Digest => digestOf(Buffer.from(name));

describe('the trash', () => {
  let api: ApiUnderTest;
  let database: Database;
  let registryId: string;

  beforeAll(async () => {
    api = await startApi();
    database = api.app.get(Database);
    await api.send('PUT', '/api/v1/topology', { body: { source: releaseTopology } });
    const registries = await new TopologyRevisions(database).currentRegistries();
    registryId = registries.find(({ name }) => name === 'prod')?.id ?? '';
  });
  afterAll(() => api.stop());

  async function run(): Promise<string> {
    const id = uuidV7.next();
    await database.tables.$executeRaw`
      INSERT INTO retention_run (id, policy, registry_id, revision, policy_hash, snapshot, trigger, mode, state, finished_at)
      VALUES (${id}::uuid, 'nightly', ${registryId}::uuid, 1, ${new Uint8Array(32)}, '{}', 'schedule', 'enforce', 'succeeded', now())`;
    return id;
  }

  /** As a worker does before it deletes; gives the run. */
  async function discard(name: string, { repository = app, refers = [] as string[], runId = '' } = {}): Promise<string> {
    const trash = new RetentionTrash(database);
    const digest = digestNamed(name);
    const id = runId === '' ? await run() : runId;
    const begun = await trash.begin({
      ...{ registryId, repository: parseRepositoryName(repository), runId: id, digest, mediaType, manifest: Buffer.from(name) },
      ...{ tags: [release], holds: [digest], refers: refers.map(digestNamed), ttlMs: week },
    });
    if (begun !== 'emptying') await trash.kept(begun.id);
    return id;
  }

  const list = async (query: string, key?: string) =>
    ((await api.send('GET', `${root}/trash${query}`, key === undefined ? {} : { key })).body as TrashList).entries;
  const ask = (asked: object, key?: string) =>
    api.post(`${root}/restores`, { reason: 'a mistake', ...asked }, key === undefined ? {} : { key });

  /** Does what a worker does with the restore that waits. */
  async function bringBack(): Promise<void> {
    const leases = new TrashRequestLeases(database, { leaseMs: 60_000 });
    const lease = await leases.claimNext('spec');
    if (lease === undefined) throw new Error('nothing waits');
    for (const { trashId, tags } of await leases.restorables(lease, app)) {
      await leases.settleRestored(
        lease,
        trashId,
        tags.map((tag) => ({ tag, outcome: 'moved', names: digestNamed('newer') })),
      );
    }
    await leases.finish(lease);
  }

  it('is listed page by page, by what was deleted where', async () => {
    const runId = await discard('one', { repository: 'team-l/app' });
    await discard('two', { repository: 'team-l/app' });

    const first = (await api.send('GET', `${root}/trash?repository=team-l/app&limit=1`)).body as TrashList;
    const rest = await list(`?repository=team-l/app&limit=1&cursor=${first.next ?? ''}`);

    expect([...first.entries, ...rest].map(({ digest }) => digest)).toEqual([digestNamed('two'), digestNamed('one')]);
    expect(rest[0]).toMatchObject({ registry: 'prod', repository: 'team-l/app', tags: ['1.0.0'], run: runId, policy: 'nightly' });
    for (const query of [`run=${runId}`, `digest=${digestNamed('one')}`, 'registry=prod&repository=team-l/app&tag=1.0.0&limit=2']) {
      expect((await list(`?${query}`)).map(({ digest }) => digest)).toContain(digestNamed('one'));
    }
    expect(await list('?registry=ci-snapshots')).toEqual([]);
  });

  it('gives back what was asked for with all that referred to it, and says what became of each tag', async () => {
    await discard('image');
    await discard('signature', { refers: ['image'] });
    await discard('remark', { refers: ['signature'] });
    await discard('other');

    const asked = await ask({ registry: 'prod', repository: app, digest: digestNamed('image') });
    const restore = asked.body as Restore;

    expect(asked.status).toBe(202);
    expect(asked.headers.get('location')).toBe(`${root}/restores/${restore.id}`);
    expect(restore).toMatchObject({ registry: 'prod', repository: app, state: 'requested', open: 3, restored: 0, reason: 'a mistake' });
    expect((await list(`?digest=${digestNamed('remark')}`))[0]).toMatchObject({ restore: restore.id });
    const again = await ask({ registry: 'prod', repository: app, digest: digestNamed('signature') });
    expect(problemIn(again)).toMatchObject({ status: 409, code: 'restore-unfinished', detail: expect.stringContaining(restore.id) });

    await bringBack();

    expect((await api.send('GET', `${root}/restores/${restore.id}`)).body).toMatchObject({ state: 'succeeded', open: 0, restored: 3 });
    const page = (await api.send('GET', `${root}/restores/${restore.id}/manifests?limit=2`)).body as RestoredManifests;
    const last = (await api.send('GET', `${root}/restores/${restore.id}/manifests?cursor=${page.next ?? ''}`)).body as RestoredManifests;
    expect([...page.manifests, ...last.manifests]).toHaveLength(3);
    expect(last.manifests[0]).toMatchObject({ state: 'restored', tags: [{ tag: '1.0.0', outcome: 'moved', names: digestNamed('newer') }] });
    expect((await list(`?state=all&digest=${digestNamed('image')}`))[0]).toMatchObject({ restoredBy: restore.requestedBy });
    expect(await list(`?digest=${digestNamed('image')}`)).toEqual([]);

    const nothing = (await ask({ registry: 'prod', repository: app, digest: digestNamed('image') })).body as Restore;
    expect(nothing).toMatchObject({ state: 'succeeded', restored: 0, open: 0, finishedAt: expect.any(String) });
  });

  it('gives back all of a run, and what a tag named last', async () => {
    const runId = await discard('first');
    await discard('beside', { runId });
    const ofRun = (await ask({ run: runId })).body as Restore;
    expect(ofRun).toMatchObject({ run: runId, open: 2 });
    await bringBack();
    await discard('newest');

    const ofTag = (await ask({ registry: 'prod', repository: app, tag: '1.0.0' })).body as Restore;

    await bringBack();
    const { manifests } = (await api.send('GET', `${root}/restores/${ofTag.id}/manifests`)).body as RestoredManifests;
    expect(manifests.map(({ digest }) => digest)).toEqual([digestNamed('newest')]);
    const { restores } = (await api.send('GET', `${root}/restores?limit=2`)).body as RestoreList;
    expect(restores.map(({ id }) => id)).toEqual([ofTag.id, ofRun.id]);
  });

  it.each<[string, object, number, string]>([
    ['a registry that is unknown', { registry: 'prodd', repository: app, tag: '1.0.0' }, 404, 'registry-unknown'],
    ['a run that is unknown', { run: '01900000-0000-7000-8000-000000000000' }, 404, 'run-unknown'],
    ['what was never deleted', { registry: 'prod', repository: app, digest: digestNamed('never') }, 404, 'not-in-trash'],
    ['a run and a digest', { run: '01900000-0000-7000-8000-000000000000', digest: digestNamed('x') }, 422, 'request-invalid'],
    ['a tag and a digest', { registry: 'prod', repository: app, tag: '1.0.0', digest: digestNamed('x') }, 422, 'request-invalid'],
    ['a digest of nowhere', { digest: digestNamed('x') }, 422, 'request-invalid'],
    ['no reason', { registry: 'prod', repository: app, tag: '1.0.0', reason: '' }, 422, 'request-invalid'],
  ])('refuses %s', async (_what, asked, status, code) => {
    expect(problemIn(await ask(asked))).toMatchObject({ status, code });
  });

  it('is for keys that may, in their repositories', async () => {
    const runId = await discard('mine', { repository: 'team-b/app' });
    await discard('theirs', { repository: 'team-c/app' });
    const key = await api.keyWith([{ verbs: ['retention:read', 'retention:restore'], paths: ['*'], repositories: ['team-b/**'] }]);
    const reader = await api.keyWith(allBut('retention:restore'));

    expect((await list('', key)).map(({ repository }) => repository)).toEqual(['team-b/app']);
    for (const answer of [
      await ask({ registry: 'prod', repository: 'team-c/app', tag: '1.0.0' }, key),
      await ask({ run: runId }, key),
      await ask({ registry: 'prod', repository: 'team-b/app', tag: '1.0.0' }, reader),
    ]) {
      expect(problemIn(answer)).toMatchObject({ status: 403, code: 'forbidden' });
    }
    const { id } = (await ask({ registry: 'prod', repository: 'team-c/app', tag: '1.0.0' })).body as Restore;
    expect(problemIn(await api.send('GET', `${root}/restores/${id}`, { key }))).toMatchObject({ status: 404, code: 'restore-unknown' });
    expect(problemIn(await api.send('GET', `${root}/restores/nothing`))).toMatchObject({ status: 404, code: 'restore-unknown' });
  });
});
