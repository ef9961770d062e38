import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { image, manifestNamed, oneTag } from '../scene.spec-helper.js';
import { type HoldRow, Holds, type HoldScope } from './holds.js';
import { type DigestInUse, InUse, type InUseReporterRow } from './in-use.js';
import { RetentionScene } from './retention-scene.spec-helper.js';

const { digest } = image;

describe('holds', () => {
  let scene: RetentionScene;
  let holds: Holds;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    holds = new Holds(scene.database);
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    for (const { id } of await holds.list({ limit: 100, isHistory: false })) await holds.release(id, { by: scene.by });
  });

  async function place(on: HoldScope, expiresAt?: Date): Promise<HoldRow> {
    const claim = await scene.claim<HoldRow>();
    await holds.place({ id: uuidV7.next(), on, reason: 'audit', by: scene.by, ...(expiresAt === undefined ? {} : { expiresAt }) }, claim);
    return claim.done();
  }
  const over = async (registry: string) => (await holds.ofRegistry(registry)).map(({ on }) => on);

  it.each<[string, HoldScope, readonly string[]]>([
    ['a digest, wherever it is', { scope: 'digest', digest }, ['ci', 'prod']],
    ['a digest in a registry', { scope: 'digest', registry: 'ci', digest }, ['ci']],
    ['a digest in a repository', { scope: 'digest', registry: 'ci', repository: 'a', digest }, ['ci']],
    ['a tag in every registry', { scope: 'tag', repository: 'a', tag: oneTag }, ['ci', 'prod']],
    ['a repository of a registry', { scope: 'repository', registry: 'prod', repository: 'a' }, ['prod']],
  ])('cover %s', async (_what, on, covered) => {
    expect((await place(on)).on).toEqual(on);

    for (const registry of ['ci', 'prod']) {
      expect(await over(registry)).toEqual(covered.includes(registry) ? [on] : []);
    }
  });

  it('end when they are released or expire, and are history then', async () => {
    const on = { scope: 'repository', repository: 'a' } as const;
    const released = await place(on);
    const expired = await place(on, new Date(Date.now() - 60_000));
    const kept = await place(on, new Date(Date.now() + 3_600_000));

    expect(await holds.release(released.id, { by: scene.by, reason: 'over' })).toMatchObject({
      releasedBy: scene.by,
      releaseReason: 'over',
    });
    expect(await holds.release(released.id, { by: scene.by, reason: 'again' })).toMatchObject({ releaseReason: 'over' });

    expect((await holds.list({ limit: 10, isHistory: false })).map(({ id }) => id)).toEqual([kept.id]);
    expect(await over('ci')).toEqual([on]);
    expect((await holds.list({ limit: 3, isHistory: true })).map(({ id }) => id)).toEqual([kept.id, expired.id, released.id]);
    expect(await holds.list({ before: released.id, limit: 1, isHistory: false })).toEqual([]);
    await expect(holds.release(uuidV7.next(), { by: scene.by })).rejects.toMatchObject({ code: 'hold-unknown' });
  });

  it('are no answer where there are too many to look at', async () => {
    await scene.database.tables.$executeRaw`
      INSERT INTO hold (id, scope, repository, tag, reason, placed_by)
      SELECT gen_random_uuid(), 'tag', 'crowded', 'v' || n, 'spec', ${scene.by}::uuid FROM generate_series(1, 50001) n`;

    await expect(holds.ofRegistry('ci')).rejects.toMatchObject({ code: 'too-much-protected' });

    await scene.database.tables.$executeRaw`DELETE FROM hold WHERE repository = 'crowded'`;
  });
});

describe('what is in use', () => {
  let scene: RetentionScene;
  let inUse: InUse;
  const other = manifestNamed('another image').digest;

  beforeAll(async () => {
    scene = await RetentionScene.start();
    inUse = new InUse(scene.database);
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    await scene.database.tables.inUseDigest.deleteMany();
    await scene.database.tables.inUseReporter.deleteMany();
  });

  async function report(digests: readonly DigestInUse[], { reporter = 'cluster-a', by = scene.by } = {}): Promise<InUseReporterRow> {
    const claim = await scene.claim<InUseReporterRow>();
    const covers = { registries: ['*'], repositories: ['team-a/**'] };
    await inUse.report({ reporter, kind: 'kubernetes', by, covers, everyMs: 60_000, digests }, claim);
    return claim.done();
  }
  const digestsOf = async (registry: string) =>
    (await inUse.knownOfRegistry(registry)).digests.map((known) => `${known.reporter} ${known.digest}`).sort();
  const silenceFor = (interval: string) =>
    scene.database.tables.$executeRaw`UPDATE in_use_reporter SET last_report_at = now() - ${interval}::interval`;

  it('is what each reporter said last', async () => {
    expect(await report([{ digest }, { digest: other }])).toMatchObject({ digests: 2, isSilent: false, everyMs: 60_000 });
    await report([{ digest }], { reporter: 'cluster-b' });

    await report([{ digest: other }, { digest: other }]);

    expect(await digestsOf('ci')).toEqual([`cluster-a ${other}`, `cluster-b ${digest}`].sort());
    await report([]);
    expect(await digestsOf('ci')).toEqual([`cluster-b ${digest}`]);
  });

  it('is of all registries and repositories, whichever were named', async () => {
    await report([
      { digest, registry: 'prod-us' },
      { digest: other, repository: 'team-a/app' },
    ]);

    const both = [`cluster-a ${digest}`, `cluster-a ${other}`].sort();
    expect(await digestsOf('ci')).toEqual(both);
    expect(await digestsOf('prod')).toEqual(both);
  });

  it.each([
    ['2 minutes', false],
    ['4 minutes', true],
  ])('is unknown when a reporter of every minute was silent for %s: %p', async (silence, expected) => {
    await report([{ digest }]);
    await silenceFor(silence);

    const { silent, digests } = await inUse.knownOfRegistry('ci');

    expect(silent.map(({ name }) => name)).toEqual(expected ? ['cluster-a'] : []);
    expect(digests).toHaveLength(1);
    expect(await inUse.list({ limit: 10 })).toMatchObject([{ isSilent: expected }]);
  });

  it('is forgotten of a reporter that is retired, until it speaks again', async () => {
    await report([{ digest }]);
    await silenceFor('1 day');

    expect(await inUse.retire('cluster-a', { by: scene.by, reason: 'gone' })).toMatchObject({
      isSilent: false,
      digests: 0,
      retireReason: 'gone',
    });
    await inUse.retire('cluster-a', { by: scene.by, reason: 'again' });

    expect(await inUse.knownOfRegistry('ci')).toEqual({ digests: [], silent: [] });
    expect(await report([{ digest }])).toMatchObject({ retiredAt: null, digests: 1 });
    await expect(inUse.retire('nobody', { by: scene.by, reason: 'x' })).rejects.toMatchObject({ code: 'reporter-unknown' });
  });

  it('is no answer where there is too much to look at', async () => {
    await report([{ digest }, { digest: manifestNamed('another').digest }]);

    expect((await new InUse(scene.database, { maxDigests: 2 }).knownOfRegistry('ci')).digests).toHaveLength(2);
    await expect(new InUse(scene.database, { maxDigests: 1 }).knownOfRegistry('ci')).rejects.toMatchObject({ code: 'too-much-protected' });
  });

  it('is said by one principal under one name', async () => {
    await report([{ digest }]);
    const [stranger] = await scene.database.tables.$queryRaw<{ id: string }[]>`
      INSERT INTO principal (id, kind, issuer, subject) VALUES (gen_random_uuid(), 'service', 'spec', gen_random_uuid()::text) RETURNING id`;

    await expect(report([], { by: stranger?.id ?? '' })).rejects.toMatchObject({ code: 'reporter-taken' });

    expect(await digestsOf('ci')).toHaveLength(1);
  });

  it('is listed by name, page by page', async () => {
    for (const reporter of ['c', 'a', 'b']) await report([], { reporter });

    expect((await inUse.list({ limit: 2 })).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await inUse.list({ limit: 2, after: 'b' })).map(({ name }) => name)).toEqual(['c']);
  });
});
