import { describe, expect, it } from '@jest/globals';
import type { PromotionDetail } from '@waybill/persistence';
import { toPromotion } from './promotion.mapper.js';

const id = '01a20000-0000-7000-8000-000000000000';
const requestedAt = new Date('2026-01-01T00:00:00Z');

/** A promotion of one item to one target that is done: of the columns those that are shown. */
function rowWith(promotion: { readonly state: string; readonly finishedAt: Date | null }): PromotionDetail {
  const target = {
    registry: { name: 'prod' },
    location: 'eu',
    repository: 'team-a/app',
    requirement: 'required',
    state: 'done',
    outcome: 'copied',
    attempts: 1,
    dueAt: null,
    error: null,
    bytesCopied: 1n,
    bytesMounted: 0n,
    bytesSkipped: 0n,
    startedAt: requestedAt,
    finishedAt: requestedAt,
    tags: [],
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
});
