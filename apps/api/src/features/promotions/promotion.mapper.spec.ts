import { describe, expect, it } from '@jest/globals';
import type { PromotionDetail } from '@waybill/persistence';
import { toPromotion } from './promotion.mapper.js';

const id = '01a20000-0000-7000-8000-000000000000';
const requestedAt = new Date('2026-01-01T00:00:00Z');

/** A promotion of one item to one target that is done: of the columns those that are shown. */
function rowWith(promotion: Readonly<Record<string, unknown>>, facts: Readonly<Record<string, unknown>> = {}): PromotionDetail {
  const target = {
    registry: { name: 'prod' },
    location: 'eu',
    repository: 'team-a/app',
    requirement: 'required',
    state: 'done',
    outcome: 'copied',
    attempts: 1,
    dueAt: null,
    waitingSince: null,
    pause: null,
    heldSince: null,
    error: null,
    bytesCopied: 1n,
    bytesMounted: 0n,
    bytesSkipped: 0n,
    startedAt: requestedAt,
    finishedAt: requestedAt,
    tags: [],
    ...facts,
  };
  const item = {
    sourceRegistry: { name: 'ci-snapshots' },
    sourceRepository: 'team-a/app',
    sourceTag: '1.0.0',
    digest: new Uint8Array(32),
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    sourceMovedTo: null,
    sourceMovedAt: null,
    targets: [target],
  };
  return {
    id,
    path: 'release',
    revision: 1n,
    requestedBy: id,
    onBehalfOf: null,
    reason: null,
    labels: {},
    externalRef: null,
    intentHash: new Uint8Array(32),
    estimate: {},
    requestedAt,
    finishedAt: null,
    untaken: new Map(),
    cancellation: null,
    ...promotion,
    items: [item],
  } as unknown as PromotionDetail;
}

describe('toPromotion', () => {
  it('calls a promotion settled when it has ended and no target has anything left to do', () => {
    expect(toPromotion(rowWith({ state: 'succeeded', finishedAt: requestedAt }))).toMatchObject({ state: 'succeeded', settled: true });
  });

  it('does not call settled what was read as running just before its last target ended', () => {
    expect(toPromotion(rowWith({ state: 'running', finishedAt: null }))).toMatchObject({ state: 'running', settled: false });
  });

  describe('tells of a target', () => {
    const since = new Date('2026-01-01T00:01:00Z');
    const open = { state: 'pending', outcome: null, finishedAt: null };
    const untaken = new Map([['eu', since]]);

    it.each([
      ['that it waits for a worker at its location', { untaken }, open, { what: 'worker', since: since.toISOString() }],
      ['that it waits for its prod', {}, { ...open, state: 'tagging', waitingSince: since }, { what: 'prod', since: since.toISOString() }],
      ['nothing when a worker has it', { untaken: new Map([['us', since]]) }, open, undefined],
      ['nothing when it is done', { untaken }, {}, undefined],
    ])('%s', (_what, promotion, facts, waitingFor) => {
      const { items } = toPromotion(rowWith({ state: 'running', ...promotion }, facts));

      expect(items[0]?.targets[0]?.waitingFor).toEqual(waitingFor);
    });

    it('what went wrong, and what to do about it', () => {
      const error = { code: 'target-unsupported', message: 'prod: push blob: not allowed', operation: 'push blob', retryable: false };

      const { items } = toPromotion(rowWith({ state: 'partial' }, { outcome: 'failed', error }));

      expect(items[0]?.targets[0]).toMatchObject({ outcome: 'failed', error: { ...error, help: expect.stringContaining('read-only') } });
    });
  });
});
