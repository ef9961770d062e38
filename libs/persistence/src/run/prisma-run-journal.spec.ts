import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { childrenOf, ContentError, descriptorOf, type Tag } from '@waybill/oci-model';
import { PromotionError, type RunJournal, type TargetRun } from '@waybill/promotion';
import { image, manifestNamed, type OpenRun, Scene } from '../scene.spec-helper.js';
import type { DispatchLease } from './dispatch-lease.js';

const bytes = { bytesCopied: 3, bytesMounted: 2, bytesSkipped: 1 };
const content = { manifests: [{ descriptor: descriptorOf(image), children: childrenOf(image).blobs }] };
const trouble = new ContentError('the registry is down', { code: 'unreachable', operation: 'test', retryable: true });
const removed = new PromotionError('the path is gone', { code: 'path-removed', operation: 'test' });

function tagOf({ tags: [tag] }: TargetRun): Tag {
  if (tag === undefined) throw new Error('the target has no tag');
  return tag.tag;
}

/** Every method, in an order in which each can be called after those before it. */
const steps: [keyof RunJournal, (run: OpenRun) => Promise<unknown>][] = [
  ['holdBack', ({ journal, target }) => journal.holdBack(target)],
  ['beginAttempt', ({ journal, target }) => journal.beginAttempt([target])],
  ['recordSourceMove', ({ journal, item }) => journal.recordSourceMove(item, manifestNamed('newer').digest)],
  ['intendManifest', ({ journal, target }) => journal.intendManifest(target, image)],
  ['recordCopy', ({ journal, target }) => journal.recordCopy(target, 'copied', bytes)],
  ['settleContent', ({ journal, target }) => journal.settleContent(target, content)],
  ['advance', ({ journal, target }) => journal.advance(target, 'tagging')],
  ['readinessToTag', ({ journal, target }) => journal.readinessToTag(target)],
  ['acquireTag', ({ journal, target }) => journal.acquireTag(target, tagOf(target))],
  ['adoptExpected', ({ journal, target }) => journal.adoptExpected(target, tagOf(target), undefined)],
  ['intendTag', ({ journal, target }) => journal.intendTag(target, tagOf(target), image.digest, undefined)],
  ['releaseTag', ({ journal, target }) => journal.releaseTag(target, tagOf(target))],
  ['unsettledEffects', ({ journal, target }) => journal.unsettledEffects(target)],
  ['settleTag', ({ journal, target }) => journal.settleTag(target, tagOf(target), image.digest, { outcome: 'written' })],
  ['retryLater', ({ journal, target }) => journal.retryLater(target, trouble, 1_000, bytes)],
  ['reject', ({ journal }) => journal.reject(removed, [])],
  ['finish', ({ journal, target }) => journal.finish(target, { ...bytes, outcome: 'copied' })],
];

describe('PrismaRunJournal', () => {
  let scene: Scene;
  let runs = 0;

  beforeAll(async () => {
    scene = await Scene.start();
  });

  afterAll(() => scene.close());

  /** A run of the replica, which is the target that all methods are about. */
  async function begin(): Promise<OpenRun> {
    runs += 1;
    return scene.open(await scene.messageOf(await scene.request({ tags: [`1.0.${runs}` as Tag] }), 'us'));
  }

  /** All that a run can write, as text. */
  async function everything({ lease }: OpenRun): Promise<string> {
    const [row] = await scene.database.tables.$queryRaw<{ everything: string }[]>`
      SELECT jsonb_build_array(
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id) FROM promotion x WHERE id = ${lease.promotionId}::uuid),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id) FROM promotion_item x WHERE promotion_id = ${lease.promotionId}::uuid),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id) FROM item_target x WHERE promotion_id = ${lease.promotionId}::uuid),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.id) FROM effect x WHERE promotion_id = ${lease.promotionId}::uuid),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.location) FROM dispatch x WHERE promotion_id = ${lease.promotionId}::uuid),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.item_target_id, x.tag) FROM item_target_tag x),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.registry_id, x.repository, x.tag) FROM tag_order x),
        (SELECT jsonb_agg(to_jsonb(x) ORDER BY x.registry_id, x.digest) FROM placement x),
        (SELECT count(*) FROM provenance_record), (SELECT count(*) FROM tag_event), (SELECT count(*) FROM content), (SELECT count(*) FROM content_edge)
      )::text AS everything`;
    return row?.everything ?? '';
  }

  it('names every method of the port in this table', () => {
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(scene.journal({} as DispatchLease))).filter(
      (name) => name !== 'constructor',
    );

    expect(steps.map(([name]) => name).sort()).toEqual(methods.sort());
  });

  it('takes them all, one after the other, while the lease holds', async () => {
    const run = await begin();

    const refused: string[] = [];
    for (const [name, step] of steps) await step(run).catch(() => refused.push(name));

    expect(refused).toEqual([]);
    const [target] = await scene.database.tables.itemTarget.findMany({ where: { id: run.target.id } });
    expect(target).toMatchObject({
      state: 'done',
      outcome: 'copied',
      content: 'copied',
      attempts: 1,
      bytesCopied: 9n,
      bytesMounted: 6n,
      bytesSkipped: 3n,
    });
  });

  it('settles no content for who has not begun the attempt: since when what was deleted counts is unknown', async () => {
    const run = await begin();
    await run.journal.beginAttempt([run.target]);
    await run.journal.recordCopy(run.target, 'copied', bytes);
    const known = await everything(run);

    await expect(scene.journal(run.lease).settleContent(run.target, content)).rejects.toThrow('begun');

    expect(await everything(run)).toBe(known);
    await run.journal.settleContent(run.target, content);
  });

  const losses: [string, (run: OpenRun) => Promise<unknown>][] = [
    [
      'another worker took over',
      async ({ lease }) => {
        await expire(lease);
        await scene.database.tables.$executeRaw`
          UPDATE dispatch SET state = 'leased', lease_fence = lease_fence + 1, lease_holder = 'other', lease_expires_at = now() + interval '1 hour'
          WHERE promotion_id = ${lease.promotionId}::uuid AND location = ${lease.location}`;
      },
    ],
    ['the lease has expired', ({ lease }) => expire(lease)],
  ];

  async function expire({ promotionId }: DispatchLease): Promise<void> {
    await scene.database.tables.$executeRaw`
      UPDATE dispatch SET lease_expires_at = now() - interval '1 millisecond' WHERE promotion_id = ${promotionId}::uuid AND state = 'leased'`;
  }

  describe.each(losses)('when %s', (_name, lose) => {
    it.each(steps.map(([name, step], index) => [name, step, steps.slice(0, index)] as const))(
      'rejects %s and changes nothing',
      async (_step, step, before) => {
        const run = await begin();
        for (const [, earlier] of before) await earlier(run);
        await lose(run);
        const known = await everything(run);

        await expect(step(run)).rejects.toMatchObject({ code: 'lease-lost' });

        expect(await everything(run)).toBe(known);
      },
    );
  });
});
