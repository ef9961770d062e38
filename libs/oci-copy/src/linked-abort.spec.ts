import { describe, expect, it } from '@jest/globals';
import { LinkedAbort } from './linked-abort.js';

describe('LinkedAbort', () => {
  it('follows its parent with the same reason', () => {
    const parent = new AbortController();
    const linked = new LinkedAbort(parent.signal);

    parent.abort('enough');

    expect(linked.signal.reason).toBe('enough');
  });

  it('is aborted from the start under a parent that is', () => {
    expect(new LinkedAbort(AbortSignal.abort('enough')).signal.reason).toBe('enough');
  });

  it('leaves its parent alone', () => {
    const parent = new AbortController();

    new LinkedAbort(parent.signal).abort();

    expect(parent.signal.aborted).toBe(false);
  });

  it('does not follow after its release', () => {
    const parent = new AbortController();
    const linked = new LinkedAbort(parent.signal);

    linked.release();
    parent.abort();

    expect(linked.signal.aborted).toBe(false);
  });

  it('stands alone without a parent', () => {
    const alone = new LinkedAbort(undefined);

    alone.release();
    alone.abort('enough');

    expect(alone.signal.reason).toBe('enough');
  });
});
