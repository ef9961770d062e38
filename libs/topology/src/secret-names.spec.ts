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

  it('finds the names wherever they stand', () => {
    const topology = topologyWith({
      registries: `one: {
        role: prod, location: eu, url: "https://one.example",
        credentials: { read: { dockerConfig: h }, write: { helper: nobody }, delete: { secret: f } },
        tls: { ca: { secret: e }, cert: { secret: d }, key: { secret: c } },
        proxy: { url: "http://proxy.example", secret: b }
      }`,
    });

    expect(secretNames(topology)).toEqual(['b', 'c', 'd', 'e', 'f', 'h']);
  });
});
