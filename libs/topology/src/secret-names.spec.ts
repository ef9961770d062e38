import { describe, expect, it } from '@jest/globals';
import { topologyWith } from './questions.spec-helper.js';
import { secretNames } from './secret-names.js';

describe('secretNames', () => {
  it('lists each name once, sorted', () => {
    const topology = topologyWith({
      registries: [
        'one: { role: prod, location: eu, url: "https://one.example", prefix: a, credentials: { read: { secret: shared }, write: { secret: one-write } } }',
        'two: { role: prod, location: eu, url: "https://one.example", prefix: b, credentials: { read: { secret: shared } } }',
      ].join('\n'),
    });

    expect(secretNames(topology)).toEqual(['one-write', 'shared']);
    expect(secretNames(topologyWith())).toEqual([]);
  });
});
