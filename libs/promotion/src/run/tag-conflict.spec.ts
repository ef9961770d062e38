import { describe, expect, it } from '@jest/globals';
import { oneTag, tagRun } from './fake-run.spec-helper.js';
import { conflictError } from './write-tag.js';
import { foreign, target } from './writing-tag.spec-helper.js';

describe('conflictError', () => {
  const immutable = tagRun({ immutable: true });

  it.each([
    ['tag-immutable', immutable, { found: foreign, afterWrite: false }, 'is immutable and already holds sha256:'],
    ['tag-moved', immutable, { found: foreign, afterWrite: true }, 'while we wrote it: it now holds sha256:'],
    ['tag-moved', immutable, { found: undefined, afterWrite: false }, 'since the promotion was requested: it now holds nothing'],
    ['tag-moved', tagRun(), { found: foreign, afterWrite: false }, 'since the promotion was requested: it now holds sha256:'],
    ['tag-moved', tagRun(), { found: undefined, afterWrite: true }, 'while we wrote it: it now holds nothing'],
  ])('says %s', (code, tag, facts, words) => {
    const error = conflictError(target, tag, { outcome: 'conflict', ...facts });

    expect(error).toMatchObject({ code, retryable: false, details: { tag: oneTag, found: facts.found ?? null, expected: tag.expected } });
    expect(error.message).toContain(`registry-prod/team/app:${oneTag}`);
    expect(error.message).toContain(words);
  });
});
