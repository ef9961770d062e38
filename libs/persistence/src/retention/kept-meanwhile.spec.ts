import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { digestToBytes, parseTag } from '@waybill/oci-model';
import { type Condemning, ExecutionScene } from './execution-scene.spec-helper.js';
import type { ExecutionRecordsStore } from './execution-records.js';
import { type HoldRow, Holds, type HoldScope } from './holds.js';
import { InUse, type InUseReporterRow } from './in-use.js';
import { named } from './inventory-rows.spec-helper.js';
import { RetentionRefusal } from './retention-refusal.js';

const manifests = ['index', 'amd', 'signature', 'other'];
const whole: Condemning = { manifests };

describe('what somebody says of a manifest after a run has read the repository again', () => {
  let scene: ExecutionScene;
  let repository: string;
  let count = 0;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
  });
  afterAll(() => scene.close());

  beforeEach(async () => {
    repository = `team-a/app-${++count}`;
    await scene.seed({
      repository,
      manifests: { index: { children: ['amd'] }, amd: { blobs: ['layer'] }, signature: { subject: 'index' }, other: {} },
      tags: { '1.0': 'index', amd: 'amd', 'tmp-1': 'other' },
    });
    await scene.database.tables.$executeRaw`
      INSERT INTO content_edge (parent, child, kind)
      VALUES (${digestToBytes(named('signature'))}, ${digestToBytes(named('index'))}, 'subject') ON CONFLICT DO NOTHING`;
  });
  afterEach(async () => {
    const { tables } = scene.database;
    await tables.hold.deleteMany();
    await tables.inUseDigest.deleteMany();
    await scene.expire();
    await tables.$executeRaw`UPDATE effect SET state = 'settled', settled_at = now(), outcome = 'unknown' WHERE state = 'intended'`;
    await tables.$executeRaw`UPDATE retention_mark SET state = 'spared', settled_at = now() WHERE settled_at IS NULL`;
    await tables.$executeRaw`
      UPDATE retention_run SET state = 'cancelled', finished_at = now(), lease_expires_at = NULL WHERE finished_at IS NULL`;
  });

  async function deleting(plan: Condemning = whole): Promise<ExecutionRecordsStore> {
    const run = await scene.acting([{ repository, ...plan }]);
    return scene.toDeleting(run, plan.manifests ?? [], repository);
  }

  async function hold(on: HoldScope, expiresAt?: Date): Promise<string> {
    const claim = await scene.retention.claim<HoldRow>();
    const held = { id: uuidV7.next(), on, reason: 'audit', by: scene.retention.by, ...(expiresAt === undefined ? {} : { expiresAt }) };
    await new Holds(scene.database).place(held, claim);
    return held.id;
  }

  async function use(name: string): Promise<void> {
    const claim = await scene.retention.claim<InUseReporterRow>();
    const covers = { registries: ['**'], repositories: ['**'] };
    const report = {
      reporter: 'cluster-a',
      kind: 'spec',
      by: scene.retention.by,
      covers,
      everyMs: 60_000,
      digests: [{ digest: named(name) }],
    };
    await new InUse(scene.database).report(report, claim);
  }

  /** Which of all that is marked a run would still delete. */
  async function begun(records: ExecutionRecordsStore): Promise<string[]> {
    const going: string[] = [];
    for (const name of manifests) if ((await records.begin({ digest: named(name), tag: '' })) !== 'spared') going.push(name);
    return going;
  }

  it.each<[string, () => HoldScope, readonly string[]]>([
    ['its digest, wherever it is', () => ({ scope: 'digest', digest: named('other') }), ['other']],
    ['its digest in the registry', () => ({ scope: 'digest', registry: 'ci', digest: named('other') }), ['other']],
    ['its digest in the repository', () => ({ scope: 'digest', repository, digest: named('other') }), ['other']],
    ['what is about it', () => ({ scope: 'digest', digest: named('signature') }), ['index', 'signature']],
    ['what it lists', () => ({ scope: 'digest', digest: named('amd') }), ['amd']],
    ['a tag of its', () => ({ scope: 'tag', repository, tag: parseTag('amd') }), ['amd']],
    ['the repository', () => ({ scope: 'repository', registry: 'ci', repository }), manifests],
    ['its digest in another registry', () => ({ scope: 'digest', registry: 'prod', digest: named('other') }), []],
    ['its digest in another repository', () => ({ scope: 'digest', repository: 'team-a/else', digest: named('other') }), []],
    ['the tag of another repository', () => ({ scope: 'tag', repository: 'team-a/else', tag: parseTag('amd') }), []],
    ['another tag', () => ({ scope: 'tag', repository, tag: parseTag('2.0') }), []],
  ])('keeps it where it is a hold on %s', async (_what, on, kept) => {
    const records = await deleting();
    const id = await hold(on());

    expect(await begun(records)).toEqual(manifests.filter((name) => !kept.includes(name)));
    const spared = (await records.marks()).flatMap(({ digest, state }) => (state === 'spared' ? [digest] : []));
    expect(spared).toEqual(manifests.filter((name) => kept.includes(name)).map(named));
    const reasons = await scene.database.tables.$queryRaw<unknown[]>`
      SELECT DISTINCT error FROM retention_mark WHERE repository = ${repository} AND state = 'spared'`;
    expect(reasons).toEqual(kept.length === 0 ? [] : [{ error: { code: 'hold', message: `hold ${id} keeps it` } }]);
  });

  it.each<[string, () => HoldScope, boolean]>([
    ['its digest', () => ({ scope: 'digest', digest: named('amd') }), true],
    ['its digest in the repository', () => ({ scope: 'digest', registry: 'ci', repository, digest: named('amd') }), true],
    ['a tag of its', () => ({ scope: 'tag', repository, tag: parseTag('amd') }), true],
    ['the repository', () => ({ scope: 'repository', repository }), false],
    ['its digest in another registry', () => ({ scope: 'digest', registry: 'prod', digest: named('amd') }), false],
    ['something else', () => ({ scope: 'digest', digest: named('other') }), false],
    ['another tag', () => ({ scope: 'tag', repository, tag: parseTag('1.0') }), false],
    ['another repository', () => ({ scope: 'repository', repository: 'team-a/else' }), false],
  ])('is too late while it is being deleted where it is a hold on %s', async (_what, on, isLate) => {
    const records = await deleting();
    const begun = await records.begin({ digest: named('amd'), tag: '' });
    if (typeof begun === 'string') throw new Error(begun);

    const refused = hold(on()).then(
      () => undefined,
      (error: unknown) => error,
    );

    if (isLate) expect(await refused).toMatchObject({ code: 'being-deleted', retryable: true });
    else expect(await refused).toBeUndefined();
    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: [] });
    await hold(on());
  });

  it('keeps all whose turn is yet to come where it is a hold on the repository, placed amid a deletion', async () => {
    const records = await deleting();
    await records.begin({ digest: named('amd'), tag: '' });

    await hold({ scope: 'repository', repository });

    for (const name of ['index', 'signature', 'other']) expect(await records.begin({ digest: named(name), tag: '' })).toBe('spared');
  });

  it('is either kept or refused where it comes in the moment in which the deletion begins', async () => {
    const records = await deleting();

    const ends = await Promise.all(
      manifests.map(async (name) => {
        const on = { scope: 'digest', digest: named(name) } as const;
        const held = hold(on).then(
          () => true,
          (error: unknown) => !(error instanceof RetentionRefusal && error.code === 'being-deleted'),
        );
        const isDeleted = (await records.begin({ digest: named(name), tag: '' })) !== 'spared';
        return (await held) && isDeleted ? name : 'consistent';
      }),
    );

    expect(ends).toEqual(manifests.map(() => 'consistent'));
  });

  it('keeps nothing any more when the hold is over', async () => {
    const records = await deleting();
    const released = await hold({ scope: 'digest', digest: named('other') });
    await new Holds(scene.database).release(released, { by: scene.retention.by });
    await hold({ scope: 'digest', digest: named('amd') }, new Date(Date.now() - 1_000));

    expect(await begun(records)).toEqual(manifests);
  });

  it.each([
    ['that it runs', 'other', ['other']],
    ['that a platform of it runs', 'amd', ['index', 'amd']],
    ['that something else runs', 'elsewhere', []],
  ])('keeps it where a reporter says %s', async (_what, name, kept) => {
    const records = await deleting();
    await use(name);

    expect(await begun(records)).toEqual(manifests.filter((each) => !kept.includes(each)));
  });

  it.each<[string, (repository: string) => Promise<unknown>]>([
    [
      'the inventory knows of',
      (of) => scene.database.tables.$executeRaw`
        UPDATE placement SET pushed_at = now(), pushed_at_source = 'notification'
        WHERE repository = ${of} AND digest = ${digestToBytes(named('other'))}`,
    ],
    [
      'the registry has told of',
      (of) => scene.database.tables.$executeRaw`
        INSERT INTO notification_hint (registry_id, repository, reference, location, pushed_at, digest)
        VALUES (${scene.registryId}::uuid, ${of}, 'tmp-1', 'eu', now(), ${digestToBytes(named('other'))})`,
    ],
  ])('keeps it where a push %s is later', async (_who, push) => {
    await scene.database.tables.$executeRaw`
      UPDATE placement SET pushed_at = now(), pushed_at_source = 'notification' WHERE repository = ${repository}`;
    const records = await deleting();
    await push(repository);

    expect(await begun(records)).toEqual(['index', 'amd', 'signature']);
  });

  it.each<[string, () => HoldScope, boolean]>([
    ['it', () => ({ scope: 'tag', repository, tag: parseTag('tmp-1') }), true],
    ['what it names', () => ({ scope: 'digest', digest: named('other') }), true],
    ['another tag', () => ({ scope: 'tag', repository, tag: parseTag('amd') }), false],
  ])('keeps a tag that was to be taken off by a hold on %s', async (_what, on, isKept) => {
    const records = await deleting({ untag: { 'tmp-1': 'other' } });
    await hold(on());

    const end = await records.begin({ digest: named('other'), tag: parseTag('tmp-1') });

    expect(end).toEqual(isKept ? 'spared' : { effectId: expect.any(String) });
  });
});
