import { describe, expect, it } from '@jest/globals';
import { copied, copying, failedCopy, FakeRun, itemRun, targetRun, trouble } from './fake-run.spec-helper.js';
import { runItem } from './run-item.js';
import { type RunWatch, runSteps } from './run-watch.js';

const signal = new AbortController().signal;

describe('a watch', () => {
  function watching(): { readonly told: string[]; readonly watch: RunWatch } {
    const told: string[] = [];
    const watch: RunWatch = {
      stepEnded: (target, step) => told.push(`${target.id} ${step}`),
      contentCame: (item, target, { bytesCopied }) => told.push(`${target.id} has ${bytesCopied} bytes of ${item.id}`),
      postponed: (target, { code }) => told.push(`${target.id} later: ${code}`),
    };
    return { told, watch };
  }

  it('is told of every step of a target, in order, and of its bytes', async () => {
    const { told, watch } = watching();
    const fake = new FakeRun({ copier: copying({ prod: copied() }) });

    await runItem(itemRun([targetRun('prod')]), { ...fake.ports, watch }, signal);

    expect(told).toEqual(['prod has 10 bytes of item', ...runSteps.map((step) => `prod ${step}`)]);
  });

  it('is told what is tried again and why, and of no step that failed', async () => {
    const { told, watch } = watching();
    const fake = new FakeRun({ copier: copying({ prod: failedCopy(trouble({ retryable: true })) }) });

    await runItem(itemRun([targetRun('prod')]), { ...fake.ports, watch }, signal);

    expect(told).toEqual(['prod later: unavailable']);
  });
});
