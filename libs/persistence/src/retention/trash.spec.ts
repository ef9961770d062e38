import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, digestOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { findRestorable } from './find-restorable.js';
import { beginPurge } from './purge-scene.spec-helper.js';
import { policyNamed, RetentionScene } from './retention-scene.spec-helper.js';
import { type NewTrash, RetentionTrash } from './trash.js';
import { TrashRequestLeases } from './trash-request-leases.js';
import { type TrashRequestRow, TrashRequests } from './trash-requests.js';
import { TrashRows } from './trash-rows.js';

const leaseMs = 60_000;
const week = 7 * 24 * 3_600_000;
const digestNamed = (name: string): Digest => digestOf(Buffer.from(name));
const release = parseTag('1.0.0');

describe('the trash', () => {
  let scene: RetentionScene;
  let trash: RetentionTrash;
  let runId: string;
  let registryId: string;
  let repository = parseRepositoryName('team-a/app');
  let repositories = 0;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    await scene.declare([policyNamed('nightly')]);
    const run = await scene.request('nightly');
    runId = run.id;
    registryId = run.registry.id;
    trash = new RetentionTrash(scene.database);
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    repository = parseRepositoryName(`team-a/app-${++repositories}`);
    await scene.database.tables.$executeRaw`
      UPDATE retention_trash SET emptied_at = coalesce(emptied_at, now()), cleared_at = now(), lease_expires_at = NULL, wanted_by = NULL
      WHERE restored_at IS NULL AND cleared_at IS NULL`;
  });

  const entry = (name: string, change: Partial<NewTrash> = {}): NewTrash => ({
    ...{ registryId, repository, runId, digest: digestNamed(name), mediaType: 'spec', manifest: Buffer.from(name), tags: [release] },
    ...{ holds: [digestNamed(name)], refers: [], trashRepository: parseRepositoryName(`waybill-trash/${repository}`), ttlMs: week },
    ...change,
  });

  /** Holds it; gives the row. */
  async function keep(name: string, change: Partial<NewTrash> = {}): Promise<string> {
    const begun = await trash.begin(entry(name, change));
    if (begun === 'emptying') throw new Error('it is being emptied');
    await trash.kept(begun.id);
    return begun.id;
  }

  async function claim(holder = 'one') {
    const leaving = await trash.claimLeaving(holder, leaseMs);
    if (leaving === undefined) throw new Error('nothing may leave');
    return leaving;
  }

  async function ask(digest: Digest): Promise<TrashRequestRow> {
    const claimed = await scene.claim<TrashRequestRow>();
    const asked = { registry: 'ci', repository, digest };
    const request = { id: uuidV7.next(), asked, by: scene.by, reason: 'spec' };
    await new TrashRequests(scene.database).create('restore', request, { ...claimed, find: findRestorable });
    return claimed.done();
  }

  const endLease = (id: string) =>
    scene.database.tables.$executeRaw`UPDATE retention_trash SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}::uuid`;
  const held = () => new TrashRows(scene.database).list({ repository, limit: 10, isHistory: false });

  it('keeps one row for what is said twice, with what was said last', async () => {
    const id = await keep('image');

    expect(await keep('image', { tags: [parseTag('2.0.0')] })).toBe(id);
    expect((await held()).map(({ tags }) => tags)).toEqual([['2.0.0']]);
  });

  it('shows nothing that is not held yet, not deleted yet, or was spared after all', async () => {
    await trash.begin(entry('half'));
    for (const [position, state] of ['spared', 'deleting'].entries()) {
      const { manifest } = entry(state);
      await keep(state);
      await scene.database.tables.$executeRaw`
        INSERT INTO retention_mark (registry_id, repository, digest, run_id, media_type, manifest, due_at, state, settled_at, position)
        SELECT registry_id, repository, digest, run_id, media_type, manifest, now(), ${state},
          CASE WHEN ${state} = 'spared' THEN now() END, ${position}::integer
        FROM retention_trash WHERE registry_id = ${registryId}::uuid AND repository = ${repository} AND manifest = ${manifest}`;
    }

    expect(await held()).toEqual([]);
    for (const name of ['half', 'spared', 'deleting']) await expect(ask(digestNamed(name))).rejects.toMatchObject({ code: 'not-in-trash' });
  });

  it('gives out what is to leave to one, and leaves there what something else needs', async () => {
    const [index, base, other] = ['index', 'base', 'other'].map(digestNamed) as [Digest, Digest, Digest];
    const id = await keep('index', { holds: [index, base, other], ttlMs: 0 });
    await keep('base');

    const leaving = await claim();

    expect(leaving).toMatchObject({ id, manifests: [index, other], isReplaced: false, trashRepository: `waybill-trash/${repository}` });
    expect(await trash.claimLeaving('two', leaseMs)).toBeUndefined();
    expect(await trash.left(leaving)).toBe(true);
    expect(await trash.claimLeaving('two', leaseMs)).toBeUndefined();
    expect((await held()).map(({ digest }) => digest)).toEqual([base]);
  });

  it('lets nothing in that shares with what just leaves, until that has left', async () => {
    const [index, base] = ['index', 'base'].map(digestNamed) as [Digest, Digest];
    await keep('index', { holds: [index, base], ttlMs: 0 });
    const leaving = await claim();

    expect(await trash.begin(entry('base'))).toBe('emptying');
    expect(await trash.begin(entry('apart'))).toMatchObject({ id: expect.any(String) });
    await trash.left(leaving);
    expect(await trash.begin(entry('base'))).toMatchObject({ id: expect.any(String) });
  });

  it('lets nothing in that shares with what a purge removes, until that has left', async () => {
    const [index, base] = ['index', 'base'].map(digestNamed) as [Digest, Digest];
    await keep('index', { holds: [index, base] });
    const { records, lease, leases } = await beginPurge(scene, { repository, digest: index });
    expect(await records.emptyTrash([index, base])).toMatchObject({ digests: [index, base] });

    expect(await trash.begin(entry('base'))).toBe('emptying');
    await leases.finish(lease);
    await trash.left(await claim());
    expect(await trash.begin(entry('base'))).toMatchObject({ id: expect.any(String) });
  });

  it('takes from one whose lease has ended, who changes nothing any more', async () => {
    await keep('image', { ttlMs: 0 });
    const first = await claim();
    await endLease(first.id);
    const second = await claim('two');

    expect(await trash.renew(first, leaseMs)).toBe(false);
    expect(await trash.left(first)).toBe(false);
    await trash.leaveLater(first, 0);
    expect(await trash.renew(second, leaseMs)).toBe(true);
    expect(await trash.left(second)).toBe(true);
  });

  it('is not emptied of what is to come back, and cannot give back what is being emptied', async () => {
    await keep('image', { ttlMs: 0 });
    const { open } = await ask(digestNamed('image'));
    expect(open).toBe(1);
    expect(await trash.claimLeaving('one', leaseMs)).toBeUndefined();

    await keep('other', { ttlMs: 0 });
    await claim();
    await expect(ask(digestNamed('other'))).rejects.toMatchObject({ code: 'not-in-trash' });
    const leases = new TrashRequestLeases(scene.database, { leaseMs });
    const lease = await leases.claimNext('one');
    if (lease !== undefined) await leases.finish(lease);
  });

  it('has a restore done by one at a time; who lost it writes nothing', async () => {
    const trashId = await keep('image');
    const { id } = await ask(digestNamed('image'));
    const leases = new TrashRequestLeases(scene.database, { leaseMs });
    const first = await leases.claimNext('one');
    expect(await leases.claimNext('two')).toBeUndefined();
    await scene.database.tables.$executeRaw`
      UPDATE retention_request SET lease_expires_at = now() - interval '1 second' WHERE id = ${id}::uuid`;
    const second = await leases.claimNext('two');
    if (first === undefined || second === undefined) throw new Error('the restore was not claimed');
    const trouble = { code: 'spec', message: 'spec', operation: 'spec', retryable: false };

    expect(await leases.renew(first)).toBe(false);
    expect(await leases.settleRestored(first, trashId, [])).toBe(false);
    expect(await leases.note(first, trashId, trouble, true)).toBe(false);
    expect(await leases.finish(first, trouble)).toBe(false);
    expect(await leases.restorables(second, repository)).toMatchObject([{ trashId, tags: ['1.0.0'] }]);
    expect(await leases.manifestOf(trashId)).toMatchObject({ digest: digestNamed('image') });
    await leases.release(second, { delayMs: 0, isAttempt: false });
    const third = await leases.claimNext('two');
    expect(third?.attempts).toBe(second.attempts);
    if (third === undefined) throw new Error('the restore was not claimed again');
    expect(await leases.note(third, trashId, trouble, true)).toBe(true);
    expect(await leases.finish(third)).toBe(true);

    expect(await new TrashRequests(scene.database).get('restore', id)).toMatchObject({ state: 'failed', failed: 1, open: 0 });
    expect((await held())[0]?.wantedBy).toBeNull();
  });
});
