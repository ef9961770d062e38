import { describe, expect, it } from '@jest/globals';
import { ContentCopy } from './copy-content.js';
import { copied, failedCopy, FakeRun, itemRun, targetRun, trouble } from './fake-run.spec-helper.js';
import type { ContentCopier, CopyOptions } from './ports.js';
import { contextOf } from './run-context.js';

const targets = [targetRun('one'), targetRun('two')] as const;
const [one, two] = targets;

/** A copy whose copier does what the spec says. */
function copyBy(copy: (options: CopyOptions) => Promise<void>): ContentCopy {
  const copier: Partial<ContentCopier> = { copy: (_item, _targets, options) => copy(options) };
  const run = contextOf(itemRun(targets), new FakeRun({ copier }).ports, new AbortController().signal);
  return new ContentCopy(run, targets, (error) => {
    throw error;
  });
}

/** Whether a promise has resolved once everything that can go on has. */
async function hasResolved(promise: Promise<unknown>): Promise<boolean> {
  let resolved = false;
  void promise.then(() => {
    resolved = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return resolved;
}

describe('ContentCopy', () => {
  it('tells of a target while the copy to another one goes on', async () => {
    const copy = copyBy(({ onSettled }) => {
      onSettled('one', copied());
      return new Promise(() => undefined);
    });

    expect(await copy.outcomeAt(one)).toMatchObject({ outcome: 'copied' });
    expect(await hasResolved(copy.outcomeAt(two))).toBe(false);
    expect(await hasResolved(copy.ended)).toBe(false);
    expect(await hasResolved(copy.hasContent)).toBe(true);
  });

  it('has no content where targets failed, until all have', async () => {
    let end = (): void => undefined;
    const copy = copyBy(({ onSettled }) => {
      onSettled('one', failedCopy(trouble()));
      return new Promise((resolve) => {
        end = resolve;
      });
    });
    expect(await hasResolved(copy.hasContent)).toBe(false);

    end();

    await copy.hasContent;
    expect(await copy.outcomeAt(two)).toMatchObject({ outcome: 'failed', error: { code: 'unexpected' } });
  });

  it('keeps what was told when the copy then breaks off', async () => {
    const gone = trouble();
    const copy = copyBy(({ onSettled }) => {
      onSettled('one', copied());
      return Promise.reject(gone);
    });

    expect(await copy.outcomeAt(one)).toMatchObject({ outcome: 'copied' });
    expect(await copy.outcomeAt(two)).toMatchObject({ outcome: 'failed', error: gone });
  });

  it('has ended at once where nothing is to be copied', async () => {
    const copy = new ContentCopy(contextOf(itemRun([]), new FakeRun().ports, new AbortController().signal), [], (error) => {
      throw error;
    });

    expect(await hasResolved(copy.ended)).toBe(true);
  });
});
