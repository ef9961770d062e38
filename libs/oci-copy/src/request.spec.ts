import { describe, expect, it } from '@jest/globals';
import { ContentError, type ContentErrorCode } from '@waybill/oci-model';
import pLimit from 'p-limit';
import { CopyError } from './copy-error.js';
import { settingsOf } from './options.js';
import { pause, request, retryDelay } from './request.js';

const place = { side: 'target', target: 'prod', operation: 'probe blob' } as const;
const never = new AbortController().signal;
const settings = settingsOf({ retryDelayMs: () => 0 });

function failing(code: ContentErrorCode, facts: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {}): ContentError {
  return new ContentError('no', { code, operation: 'x', ...facts });
}

/** Fails with each of `errors` in turn, then answers. */
function scripted(...errors: readonly Error[]) {
  let calls = 0;
  return {
    call: async () => {
      const error = errors[calls];
      calls += 1;
      if (error !== undefined) throw error;
      return 'answer';
    },
    count: () => calls,
  };
}

/** A store that never answers, and stops when it is told to. */
function silent(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(failing('aborted')), { once: true }));
}

describe('request', () => {
  it('tries again after a failure that may pass', async () => {
    const store = scripted(failing('unavailable', { retryable: true }), failing('unreachable', { retryable: true }));

    await expect(request(place, { settings, signal: never, retries: 2 }, store.call)).resolves.toBe('answer');
    expect(store.count()).toBe(3);
  });

  it('gives up after the retries, with the last failure', async () => {
    const store = scripted(...Array.from({ length: 5 }, () => failing('unavailable', { retryable: true })));

    await expect(request(place, { settings, signal: never, retries: 2 }, store.call)).rejects.toMatchObject({ code: 'target-unreachable' });
    expect(store.count()).toBe(3);
  });

  it('does not try again when told so', async () => {
    const store = scripted(failing('unavailable', { retryable: true }));

    await expect(request(place, { settings, signal: never, retries: 0 }, store.call)).rejects.toBeInstanceOf(CopyError);
    expect(store.count()).toBe(1);
  });

  it('does not try again after a failure that will not pass', async () => {
    const store = scripted(failing('denied'));

    await expect(request(place, { settings, signal: never, retries: 2 }, store.call)).rejects.toMatchObject({ code: 'target-denied' });
    expect(store.count()).toBe(1);
  });

  it('gives its slot back while it waits', async () => {
    const limit = pLimit(1);
    const waits = settingsOf({ retryDelayMs: () => 30 });
    const order: string[] = [];
    const slow = scripted(failing('unavailable', { retryable: true }));
    const note = (name: string, call: () => Promise<string>) =>
      request(place, { settings: waits, signal: never, limit, retries: 2 }, call).then(() => order.push(name));

    await Promise.all([note('slow', slow.call), note('other', async () => 'answer')]);

    expect(order).toEqual(['other', 'slow']);
  });

  it('ends at once when the signal comes', async () => {
    const controller = new AbortController();
    const answer = request(place, { settings, signal: controller.signal, retries: 2 }, silent);
    controller.abort();

    await expect(answer).rejects.toMatchObject({ code: 'aborted', side: 'engine' });
  });

  it('does not begin when the signal came before', async () => {
    const store = scripted();

    await expect(request(place, { settings, signal: AbortSignal.abort(), retries: 2 }, store.call)).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(store.count()).toBe(0);
  });

  it('ends its wait when the signal comes', async () => {
    const controller = new AbortController();
    const patient = settingsOf({ retryDelayMs: () => 3_600_000 });
    const store = scripted(failing('unavailable', { retryable: true }));
    const answer = request(place, { settings: patient, signal: controller.signal, retries: 2 }, async () => {
      setImmediate(() => controller.abort());
      return store.call();
    });

    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
    expect(store.count()).toBe(1);
  });
});

describe('retryDelay', () => {
  const patience = { retries: 2, retryDelayMs: (n: number) => 100 * n, maxRetryDelayMs: 1000 };
  const error = (code: CopyError['code'], facts: object = {}) =>
    new CopyError('no', { code, side: code.startsWith('source') ? 'source' : 'target', operation: 'x', ...facts });

  const rows: readonly [string, CopyError, number, number | undefined][] = [
    ['the first transient failure', error('target-unreachable', { retryable: true }), 1, 100],
    ['the second', error('target-unreachable', { retryable: true }), 2, 200],
    ['the third', error('target-unreachable', { retryable: true }), 3, undefined],
    ['a lasting one', error('target-denied'), 1, undefined],
    ['a store that asks for longer', error('target-rate-limited', { retryable: true, retryAfterMs: 700 }), 1, 700],
    ['one that asks for less', error('target-rate-limited', { retryable: true, retryAfterMs: 10 }), 1, 100],
    ['one that asks for too long', error('target-rate-limited', { retryable: true, retryAfterMs: 60_000 }), 1, undefined],
    ['wrong bytes from the source', error('source-corrupt'), 1, 100],
    ['wrong bytes from it again', error('source-corrupt'), 2, undefined],
    ['wrong bytes at the target', error('target-corrupt'), 1, undefined],
    ['a silent source', error('stalled', { side: 'source', retryable: true }), 1, 100],
    ['a silent target', error('stalled', { side: 'target', retryable: true }), 1, undefined],
    ['a hook', error('hook-failed', { retryable: true }), 1, undefined],
  ];
  it.each(rows)('after %s', (_, failure, failures, expected) => {
    expect(retryDelay(failure, failures, patience)).toBe(expected);
  });

  it('tries nothing again when retries are off', () => {
    expect(retryDelay(error('source-corrupt'), 1, { ...patience, retries: 0 })).toBeUndefined();
  });
});

describe('pause', () => {
  it('ends early and quietly when the signal comes', async () => {
    await expect(pause(3_600_000, AbortSignal.abort())).resolves.toBeUndefined();
  });
});
