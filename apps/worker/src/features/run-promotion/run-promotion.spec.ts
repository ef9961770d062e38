import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { childrenOf, descriptorOf, type Digest } from '@waybill/oci-model';
import { cancelledAmong, type DispatchMessage, Outbox } from '@waybill/persistence';
import type { ContentCopier } from '@waybill/promotion';
import { buildImage, until } from '@waybill/testing';
import { type Gate, gate } from '../../infrastructure/gate.spec-helper.js';
import { type Logged, logged } from '../../infrastructure/logged.spec-helper.js';
import { RecordedPromotions } from '../../recorded-promotions.spec-helper.js';
import { Cancellations } from './cancellations.js';
import { RunPromotion } from './run-promotion.js';
import { RunRecords } from './run-records.js';

const { manifest } = buildImage();
/** The shortest that the configuration takes: a tag must be written within it. */
const briefLeaseMs = 5_000;
const noBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };

/** Registries that take everything; the copy says when it has begun, and does what the spec wants. */
class SteppedCopier implements ContentCopier {
  readonly begun: Gate<AbortSignal> = gate<AbortSignal>();
  readonly tags = new Map<string, Digest>();
  during: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  copy: ContentCopier['copy'] = async (_item, targets, { signal, beforeManifest, onSettled }) => {
    this.begun.open(signal);
    await this.during(signal);
    for (const { id } of targets) await beforeManifest(id, manifest);
    for (const { id } of targets) onSettled(id, { ...noBytes, outcome: 'copied', presentBlobs: new Set<Digest>() });
  };
  verify: ContentCopier['verify'] = () =>
    Promise.resolve({ manifests: [{ descriptor: descriptorOf(manifest), children: childrenOf(manifest).blobs }] });
  holdsManifest: ContentCopier['holdsManifest'] = () => Promise.resolve(true);
  resolveSourceTag: ContentCopier['resolveSourceTag'] = (item) => Promise.resolve(item.digest);
  resolveTargetTag: ContentCopier['resolveTargetTag'] = (target) => Promise.resolve(this.tags.get(target.registry));
  putTargetTag: ContentCopier['putTargetTag'] = (item, target) => Promise.resolve(void this.tags.set(target.registry, item.digest));
}

/** Ends as a copy does whose signal is aborted. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}

describe('RunPromotion', () => {
  let recorded: RecordedPromotions;
  let copier: SteppedCopier;
  let log: Logged;
  let id: string;
  let message: DispatchMessage;
  const idle = new AbortController().signal;

  beforeAll(async () => {
    recorded = await RecordedPromotions.open();
  });

  afterAll(() => recorded.close());

  beforeEach(async () => {
    copier = new SteppedCopier();
    log = logged();
    id = await recorded.request(manifest);
    message = await recorded.messageOf(id);
  });

  function worker(name: string, { leaseMs = 60_000, does = copier }: { leaseMs?: number; does?: SteppedCopier } = {}): RunPromotion {
    return new RunPromotion({
      records: new RunRecords(recorded.database, { leaseMs }),
      cancellations: new Cancellations((ids) => cancelledAmong(recorded.database, ids)),
      copierOf: () => does,
      logger: log.logger,
      workerId: name,
      leaseMs,
      retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 },
    });
  }

  it('brings the promotion to its target and closes the dispatch', async () => {
    await worker('one').run(message, idle);

    expect(copier.tags.get('prod')).toBe(manifest.digest);
    expect((await recorded.promotion(id)).items[0]?.targets.map(({ state, outcome }) => [state, outcome])).toContainEqual([
      'done',
      'copied',
    ]);
    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'finished', isHeld: false });
    expect(log.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  it.each([
    ['an older number', (current: DispatchMessage) => ({ ...current, dispatch: current.dispatch - 1 })],
    ['a number of the future', (current: DispatchMessage) => ({ ...current, dispatch: current.dispatch + 1 })],
    ['a promotion that is unknown', (current: DispatchMessage) => ({ ...current, promotionId: '01900000-0000-7000-8000-000000000000' })],
    ['a location where nothing is to be done', (current: DispatchMessage) => ({ ...current, location: 'asia' })],
  ])('does nothing for a message of %s', async (_what, altered) => {
    const stale = altered(message);

    await worker('one').run(stale, idle);

    expect(log.saying('nothing to run for this dispatch')).toMatchObject([{ level: 'debug', ...stale }]);
    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'queued', isHeld: false });
    expect((await recorded.promotion(id)).state).toBe('requested');
  });

  it('does nothing for a message that came twice', async () => {
    await worker('one').run(message, idle);
    const again = new SteppedCopier();

    await worker('two', { does: again }).run(message, idle);

    expect(again.tags.size).toBe(0);
    expect(log.saying('nothing to run for this dispatch')).toHaveLength(1);
  });

  it('leaves a run alone that another worker holds', async () => {
    const running = gate();
    copier.during = () => running.passed;
    const first = worker('one').run(message, idle);
    await copier.begun.passed;
    const second = new SteppedCopier();

    await worker('two', { does: second }).run(message, idle);
    running.open();
    await first;

    expect(second.tags.size).toBe(0);
    expect(copier.tags.get('prod')).toBe(manifest.digest);
  });

  it('stops at once when its lease was lost, changes nothing any more, and another worker finishes', async () => {
    copier.during = untilAborted;
    const first = worker('one', { leaseMs: briefLeaseMs }).run(message, idle);
    const signal = await copier.begun.passed;
    await recorded.endLease(id);
    await new Outbox(recorded.database).redispatchDue();
    const next = await recorded.messageOf(id);
    const second = new SteppedCopier();
    const taken = gate();
    second.during = () => taken.passed;
    const secondRun = worker('two', { does: second }).run(next, idle);
    await second.begun.passed;

    await first;
    expect(signal.reason).toMatchObject({ code: 'lease-lost' });
    expect(log.saying('the run was taken over')).toMatchObject([{ level: 'warn', promotionId: id, location: 'eu' }]);
    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'leased', isHeld: true, number: 2 });
    taken.open();
    await secondRun;

    expect(copier.tags.size).toBe(0);
    expect(second.tags.get('prod')).toBe(manifest.digest);
    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'finished' });
  });

  it('keeps its lease for as long as the run takes', async () => {
    const running = gate();
    copier.during = () => running.passed;
    const run = worker('one', { leaseMs: briefLeaseMs }).run(message, idle);
    const signal = await copier.begun.passed;
    const firstEnd = (await recorded.leaseEndOf(id))?.getTime() ?? NaN;
    await until('the lease was renewed', async () => ((await recorded.leaseEndOf(id))?.getTime() ?? NaN) > firstEnd);

    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'leased', isHeld: true });
    expect(signal.aborted).toBe(false);
    running.open();
    await run;
    expect(copier.tags.get('prod')).toBe(manifest.digest);
  });

  it('hands the run over at once when the worker ends: the lease is given up and the dispatch is due', async () => {
    const shutdown = new AbortController();
    copier.during = untilAborted;
    const run = worker('one').run(message, shutdown.signal);
    await copier.begun.passed;

    shutdown.abort();
    await run;

    expect(log.saying('the run is handed over')).toMatchObject([{ level: 'info', promotionId: id }]);
    expect(await recorded.dispatchOf(id)).toEqual({ state: 'queued', isHeld: false, isDue: true, number: 2 });
    expect(await new Outbox(recorded.database).redispatchDue()).toBe(1);
    const next = new SteppedCopier();
    await worker('two', { does: next }).run(await recorded.messageOf(id), idle);
    expect(next.tags.get('prod')).toBe(manifest.digest);
  });

  it('hands the run over when the worker ended before it began', async () => {
    await worker('one').run(message, AbortSignal.abort());

    expect(copier.tags.size).toBe(0);
    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'queued', isDue: true });
  });

  it('lets the lease expire when something unexpected breaks the run, and says what', async () => {
    const broken = new RunPromotion({
      records: new RunRecords(recorded.database, { leaseMs: 60_000 }),
      cancellations: new Cancellations((ids) => cancelledAmong(recorded.database, ids)),
      copierOf: () => {
        throw new Error('the disk is full');
      },
      logger: log.logger,
      workerId: 'one',
      leaseMs: 60_000,
      retry: { maxAttempts: 3, baseMs: 1, maxMs: 1 },
    });

    await broken.run(message, idle);

    expect(log.saying('the run broke off')).toMatchObject([{ level: 'error', promotionId: id, err: { message: 'the disk is full' } }]);
    expect(await recorded.dispatchOf(id)).toEqual({ state: 'leased', isHeld: true, isDue: false, number: 1 });
    await recorded.endLease(id);
    await new Outbox(recorded.database).redispatchDue();
    await worker('two').run(await recorded.messageOf(id), idle);
    expect(copier.tags.get('prod')).toBe(manifest.digest);
  });
});
