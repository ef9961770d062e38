import { BadRequestException, GatewayTimeoutException, HttpException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { ContentError, type ContentErrorCode } from '@waybill/oci-model';
import { PromotionError, type PromotionErrorCode } from '@waybill/promotion';
import { RegistryError } from '@waybill/oci-registry';
import { TopologyError } from '@waybill/topology';
import { ApiError } from './api-error.js';
import { problemOf } from './problem-of.js';

const instance = 'urn:uuid:01a20000-0000-7000-8000-000000000000';
/** As Prisma marks what its driver threw. */
const databaseGone = Object.assign(new Error('Connection terminated unexpectedly'), { clientVersion: '7' });
const connectionRefused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' });

function contentError(
  code: ContentErrorCode,
  facts: { readonly retryable?: boolean; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
) {
  return new ContentError('the words of the error', { code, operation: 'spec', ...facts });
}

function promotionError(code: PromotionErrorCode, details: Readonly<Record<string, unknown>> = {}) {
  return new PromotionError('the words of the error', { code, operation: 'spec', details });
}

describe('problemOf', () => {
  const table: readonly (readonly [title: string, error: unknown, status: number, code: string])[] = [
    ['what the API refuses', new ApiError('no', { code: 'forbidden' }), 403, 'forbidden'],
    ['what the rules refuse', promotionError('tag-immutable'), 409, 'tag-immutable'],
    ['a topology that changed', promotionError('topology-changed'), 409, 'topology-changed'],
    ['an unknown word of the topology', new TopologyError('no', { code: 'path-unknown', operation: 'spec' }), 404, 'path-unknown'],
    ['text that is no digest', contentError('digest-invalid'), 422, 'digest-invalid'],
    ['text that is no reference', contentError('reference-invalid'), 422, 'reference-invalid'],
    ['a registry that cannot serve', contentError('unavailable', { retryable: true }), 503, 'source-unreachable'],
    ['a registry that is no registry', contentError('protocol'), 502, 'source-broken'],
    ['a broken manifest', contentError('manifest-invalid'), 502, 'source-broken'],
    [
      'a registry’s refused connection, which is not the database’s',
      new RegistryError('refused', { code: 'unreachable', operation: 'spec', host: 'x', retryable: true, cause: connectionRefused }),
      503,
      'source-unreachable',
    ],
    [
      'the same below an error of ours',
      new PromotionError('no', { code: 'source-unreachable', operation: 'spec', cause: connectionRefused }),
      503,
      'source-unreachable',
    ],
    ['a connection that the database ended', databaseGone, 503, 'unavailable'],
    ['a connection that was refused to somebody', connectionRefused, 500, 'internal'],
    ['an address that is none', new BadRequestException('Failed to decode param'), 400, 'malformed-request'],
    ['an address that leads nowhere', new NotFoundException('Cannot GET /secret'), 404, 'not-found'],
    ['another refusal of the framework', new GatewayTimeoutException(), 500, 'internal'],
    ['a word that is no problem', promotionError('lease-lost'), 500, 'internal'],
    ['a defect', new TypeError('x is not a function'), 500, 'internal'],
    ['what is no error', 'text', 500, 'internal'],
    ['nothing', undefined, 500, 'internal'],
  ];

  it.each(table)('%s', (_title, error, status, code) => {
    const { problem, isDefect } = problemOf(error, instance);

    expect(problem).toMatchObject({ type: `/api/docs/problems#${code}`, status, code, instance, title: expect.any(String) });
    expect(isDefect).toBe(code === 'internal');
  });

  it.each([new TypeError('secret words'), new HttpException('secret words', 418)])('keeps to itself what %s says', (error) => {
    expect(problemOf(error, instance).problem).not.toHaveProperty('detail');
  });

  it('shows the way from an address that leads nowhere, and does not repeat it', () => {
    const { detail } = problemOf(new NotFoundException('Cannot GET /secret'), instance).problem;

    expect(detail).toContain('/api/docs');
    expect(detail).not.toContain('secret');
  });

  it('gives whole seconds to wait, never too few', () => {
    expect(problemOf(contentError('rate-limited', { retryable: true, retryAfterMs: 1_001 }), instance).retryAfter).toBe(2);
    expect(problemOf(contentError('unreachable', { retryable: true }), instance).retryAfter).toBeGreaterThan(0);
    expect(problemOf(databaseGone, instance).retryAfter).toBeGreaterThan(0);
    expect(problemOf(promotionError('tag-unknown'), instance).retryAfter).toBeUndefined();
  });

  it('passes on near names and places', () => {
    expect(problemOf(promotionError('tag-unknown', { near: ['1.0.0'] }), instance).problem.near).toEqual(['1.0.0']);
    expect(problemOf(promotionError('tag-unknown', { near: [] }), instance).problem).not.toHaveProperty('near');
    expect(problemOf(promotionError('tag-missing', { pointer: '/items/0' }), instance).problem.errors).toEqual([
      { pointer: '/items/0', detail: 'the words of the error' },
    ]);
  });
});
