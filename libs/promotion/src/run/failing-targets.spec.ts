import { describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { copied, copying, failedCopy, FakeRun, itemRun, rootManifest, targetRun, trouble } from './fake-run.spec-helper.js';
import type { ContentCopier, CopyOutcome } from './ports.js';
import { runItem } from './run-item.js';
import type { TargetRun } from './run.js';

const signal = new AbortController().signal;

describe('runItem when a target fails', () => {
  it('lets no target stop the others', async () => {
    const fake = new FakeRun({
      copier: copying({ passing: failedCopy(trouble({ retryable: true })), final: failedCopy(trouble()) }),
    });

    await runItem(itemRun([targetRun('passing'), targetRun('final'), targetRun('good')]), fake.ports, signal);

    expect(Object.fromEntries(fake.kept)).toEqual({ passing: { code: 'unavailable', delayMs: 100, bytesCopied: 4 } });
    expect(fake.outcomes()).toEqual({ final: 'failed', good: 'copied' });
    expect(fake.endings.get('final')).toMatchObject({ bytesCopied: 4, error: { code: 'unavailable' } });
  });

  it.each([
    ['the first attempt', 0, undefined, 100],
    ['the second attempt', 1, undefined, 200],
    ['an attempt that the registry answered with a wish', 0, 5_000, 5_000],
  ])('keeps it for later after %s', async (_name, attempts, retryAfterMs, delayMs) => {
    const error = trouble({ retryable: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    const fake = new FakeRun({ copier: copying({ prod: failedCopy(error) }) });

    await runItem(itemRun([targetRun('prod', { attempts })]), fake.ports, signal);

    expect(fake.kept.get('prod')?.delayMs).toBe(delayMs);
    expect(fake.outcomes()).toEqual({});
  });

  it('ends it as failed after the last attempt', async () => {
    const fake = new FakeRun({ copier: copying({ prod: failedCopy(trouble({ retryable: true })) }) });

    await runItem(itemRun([targetRun('prod', { attempts: 2 })]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: 'failed' });
    expect(fake.kept.size).toBe(0);
  });

  it('ends all targets when the root cannot be read at the source', async () => {
    const unreadable = new ContentError('wrong bytes', { code: 'digest-mismatch', operation: 'read manifest' });
    const fake = new FakeRun({ copier: { copy: () => Promise.reject(unreadable) } });

    await runItem(itemRun([targetRun('one'), targetRun('two')]), fake.ports, signal);

    expect(fake.endings.get('one')).toMatchObject({ outcome: 'failed', error: unreadable, bytesCopied: 0 });
    expect(fake.endings.get('two')).toMatchObject({ outcome: 'failed', error: unreadable });
  });

  it('keeps all targets for later when the source is down', async () => {
    const fake = new FakeRun({ copier: { copy: () => Promise.reject(trouble({ retryable: true })) } });

    await runItem(itemRun([targetRun('one'), targetRun('two')]), fake.ports, signal);

    expect([...fake.kept.keys()]).toEqual(['one', 'two']);
  });

  it.each(['verify', 'resolveTargetTag', 'putTargetTag'] as const)('settles the target alone when %s fails', async (method) => {
    const sound = new FakeRun().ports.copier;
    const isBad = (target: TargetRun) => target.id === 'bad';
    const fails = () => Promise.reject(trouble());
    const fake = new FakeRun({
      copier: {
        verify: {
          verify: (...args: Parameters<ContentCopier['verify']>) => (isBad(args[1]) ? fails() : sound.verify(...args)),
        },
        resolveTargetTag: {
          resolveTargetTag: (...args: Parameters<ContentCopier['resolveTargetTag']>) =>
            isBad(args[0]) ? fails() : Promise.resolve(rootManifest.digest),
        },
        putTargetTag: {
          putTargetTag: (...args: Parameters<ContentCopier['putTargetTag']>) => (isBad(args[1]) ? fails() : Promise.resolve()),
          resolveTargetTag: (target: TargetRun) => Promise.resolve(isBad(target) ? undefined : rootManifest.digest),
        },
      }[method],
    });

    await runItem(itemRun([targetRun('bad'), targetRun('good')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ bad: 'failed', good: 'copied' });
  });

  it('tries an unexpected error again, and shows its cause', async () => {
    const defect = new TypeError('undefined is not a function');
    const kept: unknown[] = [];
    const fake = new FakeRun({
      copier: { verify: () => Promise.reject(defect) },
      journal: { retryLater: (_target, error) => Promise.resolve(void kept.push(error)) },
    });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(kept).toEqual([expect.objectContaining({ code: 'unexpected', operation: 'promote', cause: defect })]);
  });

  it('fails a target that the copier forgot, and no other', async () => {
    const fake = new FakeRun({
      copier: {
        copy: (_item, _targets, { onSettled }) => {
          onSettled('kept', copied());
          return Promise.resolve();
        },
      },
    });

    await runItem(itemRun([targetRun('kept'), targetRun('forgotten')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ kept: 'copied', forgotten: 'failed' });
    expect(fake.endings.get('forgotten')?.error).toMatchObject({ code: 'unexpected', retryable: false });
  });

  it('treats a copy that was cancelled without our signal as failed', async () => {
    const cancelled: CopyOutcome = { ...failedCopy(trouble()), outcome: 'cancelled', error: trouble() };
    const fake = new FakeRun({ copier: copying({ prod: cancelled }) });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: 'failed' });
  });
});
