import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from '@waybill/testing';
import { checkTargets, type CopyOptions, settingsOf } from './options.js';

describe('settingsOf', () => {
  it('fills in the defaults', () => {
    expect(settingsOf({})).toMatchObject({
      blobsInParallel: 4,
      manifestsInParallel: 8,
      stallTimeoutMs: 30_000,
      holdUpMs: 5_000,
      retries: 2,
      maxManifests: 10_000,
      maxDepth: 16,
    });
  });

  it('keeps what it is given', () => {
    const given = {
      hooks: {},
      signal: new AbortController().signal,
      blobsInParallel: 1,
      manifestsInParallel: 2,
      stallTimeoutMs: 3,
      holdUpMs: 5,
      retries: 0,
      retryDelayMs: () => 5,
      maxRetryDelayMs: 6,
      maxManifests: 7,
      maxDepth: 8,
      maxDescriptors: 9,
      manifestCacheBytes: 0,
      referrers: 'all' as const,
      maxReferrers: 10,
      onSettled: () => undefined,
    };

    expect(settingsOf(given)).toEqual(given);
  });

  it('waits shortly, longer each time, and never twice the same', () => {
    const { retryDelayMs } = settingsOf({});

    for (const [n, most] of [
      [1, 200],
      [2, 400],
      [3, 800],
    ] as const) {
      const delays = Array.from({ length: 50 }, () => retryDelayMs(n));
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(most / 2);
      expect(Math.max(...delays)).toBeLessThanOrEqual(most);
      expect(new Set(delays).size).toBeGreaterThan(1);
    }
  });

  const wrong: readonly CopyOptions[] = [
    { blobsInParallel: 0 },
    { manifestsInParallel: -1 },
    { stallTimeoutMs: 0.5 },
    { holdUpMs: 0 },
    { stallTimeoutMs: Number.NaN },
    { maxManifests: 0 },
    { maxDepth: Number.POSITIVE_INFINITY },
    { maxDescriptors: 0 },
    { maxReferrers: 0 },
  ];
  it.each(wrong)('refuses %p', (options) => {
    expect(() => settingsOf(options)).toThrow(expect.objectContaining({ code: 'arguments-invalid', side: 'engine' }));
  });
});

describe('checkTargets', () => {
  it('refuses none', () => {
    expect(() => checkTargets([])).toThrow(expect.objectContaining({ code: 'arguments-invalid' }));
  });

  it('refuses two of the same id', () => {
    const target = { id: 'prod', store: new MemoryStore() };

    expect(() => checkTargets([target, { ...target }])).toThrow(expect.objectContaining({ code: 'arguments-invalid' }));
  });
});
