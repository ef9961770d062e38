import { describe, expect, it } from '@jest/globals';
import { helpFor } from './failure-help.js';

describe('helpFor', () => {
  it.each([
    ['target-denied', /^Give it credentials/],
    ['denied', /^Give it credentials/],
    ['unauthorized', /^Give it credentials/],
    ['source-denied', /^At the source: Give it credentials/],
    ['target-unsupported', /read-only/],
    ['target-rate-limited', /limits/],
    ['target-unreachable', /room on its disk/],
    ['unavailable', /room on its disk/],
    ['stalled', /took nothing/],
    ['tag-immutable', /another tag/],
    ['tag-moved', /Somebody else/],
    ['prod-not-tagged', /replica follows/],
    ['being-deleted', /restore it/],
    ['cancelled', /Retry the promotion/],
    ['a code of tomorrow', /Mend that/],
  ])('says what to do about %s', (code, help) => {
    expect(helpFor(code)).toMatch(help);
  });

  it('gives a replica advice that does not change what its prod holds', () => {
    expect(helpFor('tag-immutable', { isReplica: true })).toMatch(/remove the tag there/);
    expect(helpFor('stalled', { isReplica: true })).toBe(helpFor('stalled'));
  });

  it.each(['target-denied', 'target-unreachable', 'source-missing'])('says that what has arrived stays when %s is mended', (code) => {
    expect(helpFor(code)).toContain('retry the promotion');
  });
});
