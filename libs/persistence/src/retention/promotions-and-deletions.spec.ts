import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, mediaType, type RepositoryName, type Tag } from '@waybill/oci-model';
import { hashIntent } from '@waybill/promotion';
import { propertyRuns, until } from '@waybill/testing';
import { IdempotencyKeys } from '../access/idempotency-keys.js';
import { Database, type Tables } from '../database.js';
import { PromotionWriter } from '../promotions/create-promotion.js';
import { manifestNamed, MemoryCopier, type Scene } from '../scene.spec-helper.js';
import { type ActingRun, ExecutionScene } from './execution-scene.spec-helper.js';
import type { ExecutionRecordsStore } from './execution-records.js';
import { named } from './inventory-rows.spec-helper.js';
import { RetentionRuns } from './runs.js';

const { numRuns: rounds } = propertyRuns('WAYBILL_TEST_INTERLEAVINGS', 20);
const repository = 'team-a/app' as RepositoryName;
const elsewhere = 'team-b/base';

/** A registry that forgets what it is told to delete. */
interface World {
  readonly held: Set<Digest>;
  /** What is promoted, and what the run condemns of it: itself, something beneath it, or what refers to it. */
  readonly promoted: string;
  readonly condemned: string;
  readonly at: string;
}

type Step = () => Promise<void>;

describe('promotions and deletions of one registry', () => {
  let scene: ExecutionScene;
  let promotions: Scene;
  let policy: string;
  let count = 0;

  beforeAll(async () => {
    scene = await ExecutionScene.start();
    promotions = scene.retention.scene;
    policy = await scene.enforced();
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    const { tables } = scene.database;
    await tables.$executeRaw`UPDATE retention_run SET state = 'cancelled', finished_at = now(), lease_expires_at = NULL WHERE finished_at IS NULL`;
    await tables.$executeRaw`UPDATE retention_mark SET state = 'spared', settled_at = now() WHERE settled_at IS NULL`;
    await tables.$executeRaw`UPDATE item_target SET state = 'done', outcome = 'failed' WHERE state <> 'done'`;
    await tables.$executeRaw`UPDATE promotion SET state = 'failed', finished_at = now() WHERE finished_at IS NULL`;
  });

  /** An index with a child and a signature of the child, in one repository or in another of the registry. */
  async function world(role: 'itself' | 'child' | 'referrer', at: string = repository): Promise<World> {
    const n = ++count;
    const [root, child, signature] = [`index ${n}`, `child ${n}`, `signature ${n}`];
    await scene.database.tables.$executeRaw`TRUNCATE placement, tag, repository CASCADE`;
    await scene.seed({ repository: at, manifests: { [root]: { children: [child] }, [child]: {}, [signature]: { subject: child } } });
    const { tables } = scene.database;
    await tables.$executeRaw`
      INSERT INTO content_edge (parent, child, kind)
      SELECT m.digest, m.subject, 'subject' FROM manifest m WHERE m.subject IS NOT NULL ON CONFLICT DO NOTHING`;
    const condemned = { itself: root, child, referrer: signature }[role];
    return { held: new Set([root, child, signature].map(named)), promoted: root, condemned, at };
  }

  /** What a request of a promotion does, and what came of it. */
  function promotion({ held, promoted, condemned }: World): { steps: Step[]; accepted: () => boolean } {
    const id = uuidV7.next();
    const request = { principalId: scene.retention.by, route: 'POST /promotions', key: id, hash: new Uint8Array(32) };
    const digest = named(promoted);
    let token: string | undefined;
    let isAccepted = false;
    const steps = [
      async () => {
        const claim = await new IdempotencyKeys(scene.database).claim(request);
        if (claim.claim === 'ours') token = claim.token;
      },
      async () => {
        // What is not in the registry any more is not asked for, or refused.
        if (!held.has(named(condemned))) token = undefined;
        await Promise.resolve();
      },
      async () => {
        if (token === undefined) return;
        const intent = { version: 1, revision: 1, path: { name: 'release', from: 'ci', to: ['prod'] }, items: [] } as const;
        const item = {
          source: { registry: 'ci', repository, tag: '1.0.0' as Tag },
          ...{ digest, mediaType: mediaType.ociIndex },
          targets: [
            {
              registry: 'prod',
              location: 'eu',
              repository,
              requirement: 'required' as const,
              tags: [{ tag: `n-${id}` as Tag, expected: { kind: 'absent' as const } }],
            },
          ],
        };
        const estimate = { madeAt: new Date(0).toISOString(), targets: [], links: [] };
        const asked = {
          id,
          path: 'release',
          revision: 1,
          requestedBy: scene.retention.by,
          labels: {},
          intent,
          intentHash: hashIntent(intent),
          estimate,
        };
        const answer = { status: 202, headers: {}, body: { id } };
        await new PromotionWriter(scene.database).create({ ...asked, items: [item] }, { request, token, answer }).then(
          (created) => (isAccepted = created),
          (error: unknown) => expect(error).toMatchObject({ code: 'being-deleted', retryable: true }),
        );
      },
    ];
    return { steps, accepted: () => isAccepted };
  }

  /** What a run of retention does with what it condemns, one step after the other. */
  async function deletion({ held, condemned, at }: World): Promise<{ steps: Step[]; run: ActingRun }> {
    const id = await scene.planned(policy, [{ repository: at, manifests: [condemned] }]);
    const run: ActingRun = { id, policy, ...(await scene.claim()) };
    await run.journal.enter(at, 'marking');
    const records: ExecutionRecordsStore = run.journal.of(at);
    const digest = named(condemned);
    let effectId: string | undefined;
    const steps = [
      () => records.mark([{ digest }]),
      async () => {
        const begun = await records.begin({ digest, tag: '' });
        if (typeof begun !== 'string') ({ effectId } = begun);
      },
      async () => {
        if (effectId !== undefined) held.delete(digest);
        await Promise.resolve();
      },
      async () => {
        if (effectId !== undefined) await records.settle(effectId, { outcome: 'gone', tagsGone: [] });
      },
    ];
    return { steps, run };
  }

  /** Every order in which two sequences can be merged, as who takes each step. */
  function* merges(ones: number, others: number): Generator<readonly ('one' | 'other')[]> {
    if (ones === 0 && others === 0) yield [];
    if (ones > 0) for (const rest of merges(ones - 1, others)) yield ['one', ...rest];
    if (others > 0) for (const rest of merges(ones, others - 1)) yield ['other', ...rest];
  }

  it('in every order of their steps: no promotion is accepted of what is deleted', async () => {
    const seen = new Set<string>();
    let at = 0;
    for (const order of merges(3, 4)) {
      const it = await world(roleOf(at++));
      const [asked, { steps, run }] = [promotion(it), await deletion(it)];
      const [one, other] = [asked.steps[Symbol.iterator](), steps[Symbol.iterator]()];
      for (const who of order) await (who === 'one' ? one : other).next().value?.();

      expect({ order, both: asked.accepted() && isDeleted(it) }).toEqual({ order, both: false });
      if (asked.accepted()) seen.add('accepted');
      else seen.add(isDeleted(it) ? 'deleted' : 'neither');
      await endAll(run);
    }
    expect(seen).toEqual(new Set(['accepted', 'deleted']));
  }, 120_000);

  it(`at the same moment, ${rounds} times: either the one or the other`, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const it = await world(roleOf(round));
      const [asked, { steps, run }] = [promotion(it), await deletion(it)];
      const [claim, resolve, record] = asked.steps;
      const [mark, ...deleting] = steps;
      await inTurn(claim, resolve);
      // Either the mark or the beginning of the deletion meets the record of the promotion.
      if (round % 2 === 0) await Promise.all([inTurn(record), inTurn(mark, ...deleting)]);
      else await inTurn(mark).then(() => Promise.all([inTurn(record), inTurn(...deleting)]));

      expect({ round, is: [asked.accepted(), isDeleted(it)].filter(Boolean) }).toEqual({ round, is: [true] });
      await endAll(run);
    }
  }, 600_000);

  describe('in the midst of their transactions', () => {
    let other: Database;
    beforeAll(() => {
      other = new Database(promotions.server.url);
    });
    afterAll(() => other.close());

    /** Has `first` wait for a table after it has looked, and lets it go once `second` waits too, or has ended. */
    async function overtaking(table: 'outbox' | 'effect', first: Step, second: Step): Promise<void> {
      let running: Promise<unknown> = Promise.resolve();
      await other.transaction(async (tables) => {
        await tables.$executeRawUnsafe(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
        const one = first();
        await until('the first to wait', async () => (await waiting(tables)) === 1n);
        let hasEnded = false;
        const two = second().finally(() => (hasEnded = true));
        await until('the second to wait', async () => hasEnded || (await waiting(tables)) === 2n);
        running = Promise.all([one, two]);
      });
      await running;
    }

    async function waiting(tables: Tables): Promise<bigint> {
      const [row] = await tables.$queryRaw<{ count: bigint }[]>`
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return row?.count ?? 0n;
    }

    it.each<[string, 'promotion' | 'unmarked' | 'deletion']>([
      ['a promotion, then a deletion', 'promotion'],
      ['a promotion, then a mark', 'unmarked'],
      ['a deletion, then a promotion', 'deletion'],
    ])('whoever comes second sees the first: %s', async (_what, first) => {
      const it = await world('child');
      const [asked, { steps, run }] = [promotion(it), await deletion(it)];
      const [claim, resolve, record] = asked.steps;
      const [mark, ...deleting] = steps;
      await inTurn(claim, resolve);
      if (first === 'promotion') {
        await inTurn(mark);
        await overtaking(
          'outbox',
          () => inTurn(record),
          () => inTurn(...deleting),
        );
      } else if (first === 'deletion') {
        await inTurn(mark);
        await overtaking(
          'effect',
          () => inTurn(...deleting),
          () => inTurn(record),
        );
      } else {
        await overtaking(
          'outbox',
          () => inTurn(record),
          () => inTurn(mark, ...deleting),
        );
      }

      expect({ accepted: asked.accepted(), deleted: isDeleted(it) }).toEqual({
        accepted: first !== 'deletion',
        deleted: first === 'deletion',
      });
      await endAll(run);
    });
  });

  const roleOf = (at: number) => (['itself', 'child', 'referrer'] as const)[at % 3] ?? 'itself';
  const isDeleted = ({ held, condemned }: World) => !held.has(named(condemned));
  async function inTurn(...steps: readonly (Step | undefined)[]): Promise<void> {
    for (const step of steps) await step?.();
  }

  async function endAll({ journal, id }: ActingRun): Promise<void> {
    const { finishedAt } = await scene.retention.run(id);
    if (finishedAt === null) await journal.stop({ code: 'spec', message: 'over', operation: 'spec', retryable: false });
    await scene.database.tables.$executeRaw`UPDATE item_target SET state = 'done', outcome = 'failed' WHERE state <> 'done'`;
  }

  it('concern every repository of a registry, since blobs are mounted between them, and no other registry', async () => {
    const it = await world('itself', elsewhere);
    const { steps, run } = await deletion(it);
    const [mark] = steps;
    await mark?.();
    const asked = promotion(it);
    for (const step of asked.steps) await step();

    expect(asked.accepted()).toBe(true);
    expect(await new RetentionRuns(scene.database).marks(run.id, { limit: 10 })).toMatchObject([
      { state: 'spared', reason: { code: 'promotion-running', promotion: expect.any(String) } },
    ]);
  });

  describe('at an attempt', () => {
    const image = manifestNamed('an image that is promoted');

    beforeEach(async () => {
      await promotions.takeMessages();
      await scene.database.tables.$executeRaw`
        INSERT INTO content (digest, media_type, size) VALUES (decode(${hexOf(image.digest)}, 'hex'), ${image.mediaType}, 7) ON CONFLICT DO NOTHING`;
    });

    /** A mark of what a promotion is to bring, as if it had been there before. */
    async function marked(state: 'marked' | 'deleting'): Promise<string> {
      const it = await world('itself');
      const { run, steps } = await deletion(it);
      await steps[0]?.();
      await scene.database.tables.$executeRaw`
        UPDATE retention_mark SET digest = decode(${hexOf(image.digest)}, 'hex'), state = ${state} WHERE run_id = ${run.id}::uuid`;
      return run.id;
    }

    it('what is marked is spared', async () => {
      const id = await promotions.request({ targets: ['prod-b'], manifest: image, tags: [`a-${++count}` as Tag] });
      const runId = await marked('marked');
      const { journal, target } = await promotions.open(await promotions.messageOf(id));

      expect(await journal.beginAttempt([target])).toEqual(new Set());

      expect(await new RetentionRuns(scene.database).marks(runId, { limit: 10 })).toMatchObject([
        { state: 'spared', reason: { code: 'promotion-running', promotion: id } },
      ]);
    });

    it('what is being deleted is waited for, which is no attempt, and then tried again', async () => {
      const id = await promotions.request({ targets: ['prod-b'], manifest: image, tags: [`a-${++count}` as Tag] });
      const runId = await marked('deleting');
      const message = await promotions.messageOf(id);
      await promotions.run(message, new MemoryCopier(image));

      const [target] = (await promotions.promotion(id)).items[0]?.targets ?? [];
      expect(target).toMatchObject({ state: 'pending', attempts: 0, error: { code: 'being-deleted', retryable: true } });

      await scene.database.tables.$executeRaw`
        UPDATE retention_mark SET state = 'spared', settled_at = now() WHERE run_id = ${runId}::uuid`;
      await promotions.redispatch(id);
      await promotions.run(await promotions.messageOf(id), new MemoryCopier(image));
      expect((await promotions.promotion(id)).state).toBe('succeeded');
    });
  });

  it('a tag is not taken off that a promotion is about to write, and none is accepted for one that is being taken off', async () => {
    const it = await world('itself');
    const run: ActingRun = { id: await scene.planned(policy, [{ untag: { taken: it.condemned } }]), policy, ...(await scene.claim()) };
    const records = await scene.toDeleting(run, []);
    const digest = named(it.condemned);
    const promoteTo = () =>
      promotions.request({ targets: ['prod-b'], tags: ['taken' as Tag], manifest: manifestNamed(`other ${++count}`) });
    await scene.database.tables
      .$executeRaw`UPDATE retention_run SET registry_id = (SELECT id FROM registry WHERE name = 'prod-b') WHERE id = ${run.id}::uuid`;
    await scene.database.tables
      .$executeRaw`UPDATE retention_schedule SET registry_id = (SELECT id FROM registry WHERE name = 'prod-b') WHERE policy = ${run.policy}`;

    await promoteTo();
    expect(await records.begin({ digest, tag: 'taken' as Tag })).toBe('spared');
    expect(await records.begin({ digest, tag: 'taken' as Tag })).toBe('spared');
    expect(await scene.effects(run.id)).toEqual([expect.objectContaining({ tag: 'taken', outcome: 'not-deleted', records: 1 })]);

    await scene.database.tables.$executeRaw`UPDATE item_target SET state = 'done', outcome = 'failed' WHERE state <> 'done'`;
    const begun = await records.begin({ digest, tag: 'taken' as Tag });
    if (typeof begun === 'string') throw new Error(begun);
    await expect(promoteTo()).rejects.toMatchObject({ code: 'being-deleted', details: { tag: 'taken', registry: 'prod-b' } });

    await records.settle(begun.effectId, { outcome: 'gone', tagsGone: [] });
    await expect(promoteTo()).resolves.toEqual(expect.any(String));
  });
});

function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
