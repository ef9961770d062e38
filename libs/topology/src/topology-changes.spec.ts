import { describe, expect, it } from '@jest/globals';
import type { Topology } from './model.js';
import { parseTopology } from './parse-topology.js';
import { topologyText } from './planted.spec-helper.js';
import { topologyWith } from './questions.spec-helper.js';
import { policyWith } from './retention/planted-policy.spec-helper.js';
import { topologyChanges } from './topology-changes.js';

const registries = 'x: { role: staging, location: eu, url: "https://x.example", credentials: { write: { secret: x } } }';
const paths = 'p: { from: stage, to: [prod], repositories: ["a"], tags: x }';
const before = topologyWith({ registries, paths, retention: policyWith('untagged: { olderThan: 7d }') });

/** The topology of before with one text instead of another. */
function changed(from: string, to: string): Topology {
  const text = topologyText({ registries, paths, retention: policyWith('untagged: { olderThan: 7d }') });
  expect(text).toContain(from);
  const { topology, diagnostics } = parseTopology(
    text.replace(from, () => to),
    { file: 'x' },
  );
  if (topology === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return topology;
}

const again = 'it is back in dry run until it is approved again';

describe('topologyChanges', () => {
  it.each([
    ['locations', 'us: {}', 'us: { egress: { eu: 1 } }', { what: 'location', name: 'us', change: 'changed', keys: ['egress'] }],
    [
      'limits',
      'role: staging, location: eu, url',
      'role: staging, limits: { connections: 2 }, location: eu, url',
      { what: 'registry', name: 'x', keys: ['limits'] },
    ],
    [
      'an address',
      'https://x.example',
      'https://y.example',
      {
        what: 'registry',
        name: 'x',
        keys: ['url'],
        meaning: 'another registry under the same name: what is known of the old one does not count',
      },
    ],
    [
      'a path',
      'tags: x',
      'tags: y',
      { what: 'path', name: 'p', keys: ['tags'], meaning: 'promotions that wait along it are planned anew' },
    ],
    [
      'a replication',
      'to: [prod-us], repositories: ["**"]',
      'to: [prod-us], repositories: ["a"]',
      { what: 'replication', name: 'prod to prod-us', keys: ['repositories'] },
    ],
    [
      'what a policy removes',
      'name: p, registry: tests, schedule: "0 3 * * *", repositories: ["**"], untagged: { olderThan: 7d }',
      'name: p, registry: tests, schedule: "0 3 * * *", repositories: ["**"], untagged: { olderThan: 6d }',
      { what: 'retention policy', name: 'p', keys: ['untagged'], meaning: again },
    ],
    [
      'the registry of a policy',
      'name: p, registry: tests',
      'name: p, registry: stage',
      { what: 'retention policy', name: 'p', keys: ['registry'], meaning: again },
    ],
  ])('tells of %s', (_name, from, to, expected) => {
    const changes = topologyChanges(before, changed(from, to));

    expect(changes).toEqual([{ change: 'changed', ...expected }]);
  });

  it('leaves approvals alone when a policy only runs at another time', () => {
    const changes = topologyChanges(
      before,
      changed('name: p, registry: tests, schedule: "0 3 * * *"', 'name: p, registry: tests, mode: disabled, schedule: "0 4 * * *"'),
    );

    expect(changes).toEqual([{ what: 'retention policy', name: 'p', change: 'changed', keys: ['mode', 'schedule'] }]);
  });

  it('tells of what came and went', () => {
    const after = topologyWith({ registries: 'y: { role: sandbox, location: eu, local: true, retention: default }' });
    const brief = topologyChanges(before, after).map(({ what, name, change, meaning }) => [what, name, change, meaning]);

    expect(brief).toEqual([
      ['registry', 'x', 'removed', undefined],
      ['registry', 'y', 'added', undefined],
      ['path', 'p', 'removed', 'promotions that wait along it are rejected'],
      ['retention policy', 'p', 'removed', 'it plans and removes nothing any more'],
      ['retention policy', 'y-default', 'added', 'it runs dry until it is approved'],
    ]);
  });

  it('tells nothing of spelling, order and written defaults', () => {
    expect(
      topologyChanges(
        before,
        changed('name: p, registry: tests', 'limits: { maxDeleteCount: 500 }, mode: dryRun, registry: tests, name: p'),
      ),
    ).toEqual([]);
  });
});
