import { describe, expect, it } from '@jest/globals';
import { PromotionError } from '../promotion-error.js';
import { FakeRun, oneTag, ourTurn, tagRun, untilAborted } from './fake-run.spec-helper.js';
import type { ContentCopier } from './ports.js';
import { earlier, foreign, lost, write } from './writing-tag.spec-helper.js';

describe('writeTag when the write does not go well', () => {
  it('believes what it reads when the answer was lost after the write', async () => {
    const fake = new FakeRun();
    const { settled } = await write(tagRun(), {
      copier: {
        putTargetTag: async (...args) => {
          await fake.ports.copier.putTargetTag(...args);
          throw lost();
        },
        resolveTargetTag: (...args) => fake.ports.copier.resolveTargetTag(...args),
      },
    });

    expect(settled).toEqual([{ outcome: 'written' }]);
  });

  it('fails as the write did when nothing was written, and leaves the effect open', async () => {
    const { reason, settled } = await write(tagRun(), { copier: { putTargetTag: () => Promise.reject(lost()) } });

    expect(reason).toMatchObject({ code: 'unreachable', retryable: true });
    expect(settled).toEqual([]);
  });

  it('fails as the write did when the read-back fails too', async () => {
    const reads = [() => Promise.resolve(undefined), () => Promise.reject(new Error('the read-back failed'))];
    const { reason, settled } = await write(tagRun(), {
      copier: { putTargetTag: () => Promise.reject(lost()), resolveTargetTag: () => reads.shift()?.() ?? Promise.resolve(undefined) },
    });

    expect(reason).toMatchObject({ code: 'unreachable' });
    expect(settled).toEqual([]);
  });

  it('fails as the read-back did when only that failed', async () => {
    const reads = [() => Promise.resolve(undefined), () => Promise.reject(lost())];
    const { reason, settled } = await write(tagRun(), {
      copier: { resolveTargetTag: () => reads.shift()?.() ?? Promise.resolve(undefined) },
    });

    expect(reason).toMatchObject({ code: 'unreachable' });
    expect(settled).toEqual([]);
  });

  it.each([
    ['after a good answer', () => Promise.resolve()],
    ['after a lost answer', () => Promise.reject(lost())],
  ])('reports another writer whom the read-back shows %s', async (_name, answer) => {
    const fake = new FakeRun();
    const { settled } = await write(tagRun(), {
      copier: {
        putTargetTag: () => {
          fake.tags.set(`prod:${oneTag}`, foreign);
          return answer();
        },
        resolveTargetTag: (...args) => fake.ports.copier.resolveTargetTag(...args),
      },
    });

    expect(settled).toEqual([{ outcome: 'conflict', found: foreign, afterWrite: true }]);
  });

  it.each([
    ['nothing', undefined, tagRun()],
    [earlier, earlier, tagRun({ expected: { kind: 'digest', digest: earlier } })],
  ])('tries again later when the registry took the tag and still shows %s', async (shown, holds, tag) => {
    const { reason, settled } = await write(tag, {
      ...(holds === undefined ? {} : { holds }),
      copier: { putTargetTag: () => Promise.resolve() },
    });

    expect(reason).toMatchObject({ code: 'tag-unconfirmed', retryable: true });
    expect((reason as Error).message).toBe(`registry-prod/team/app:1.0.0 was written and still reads as before: it holds ${shown}`);
    expect(settled).toEqual([]);
  });

  it.each(['putTargetTag', 'resolveTargetTag'] as const)('ends %s before the lease does, to be tried again', async (method) => {
    const hanging: Partial<ContentCopier> =
      method === 'putTargetTag'
        ? { putTargetTag: (_item, _target, _tag, signal) => untilAborted(signal) }
        : { resolveTargetTag: (_target, _tag, signal) => untilAborted(signal) };

    const { reason, settled } = await write(tagRun(), { turn: ourTurn({ leaseMs: 10 }), copier: hanging });

    expect(reason).toMatchObject({ code: 'tag-unconfirmed', retryable: true, cause: { code: 'aborted' } });
    expect(settled).toEqual([]);
  });

  it('sends nothing under a lease that is about to end', async () => {
    const { reason, fake } = await write(tagRun(), {
      turn: ourTurn({ leaseMs: 5 }),
      copier: { resolveTargetTag: (_target, _tag, signal) => untilAborted(signal) },
    });

    expect(reason).toMatchObject({ code: 'tag-unconfirmed' });
    expect(fake.logOf('putTargetTag')).toEqual([]);
  });

  it('lets a lost lease through as it is, whatever the deadline says', async () => {
    const leaseLost = new PromotionError('another worker took over', { code: 'lease-lost', operation: 'test' });
    const { reason } = await write(tagRun(), {
      turn: ourTurn({ leaseMs: 5 }),
      copier: { resolveTargetTag: (_target, _tag, signal) => untilAborted(signal).catch(() => Promise.reject(leaseLost)) },
    });

    expect(reason).toBe(leaseLost);
  });

  it("lets the caller's stop through as it is", async () => {
    const stop = new AbortController();
    const { reason, settled } = await write(tagRun(), {
      signal: stop.signal,
      copier: {
        putTargetTag: (_item, _target, _tag, signal) => {
          stop.abort();
          return untilAborted(signal);
        },
      },
    });

    expect(reason).toMatchObject({ code: 'aborted' });
    expect(settled).toEqual([]);
  });
});
