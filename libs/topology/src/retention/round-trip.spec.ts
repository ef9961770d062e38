import { describe, expect, it } from '@jest/globals';
import { propertyRuns } from '@waybill/testing';
import fc from 'fast-check';
import { canonicalTopology } from '../canonical-topology.js';
import { parseTopology } from '../parse-topology.js';
import { topologyText } from '../planted.spec-helper.js';
import { storedTopology } from '../stored-topology.js';
import { policyHash } from './policy-hash.js';

const runs = propertyRuns('WAYBILL_TEST_POLICIES', 50);

const time = fc.constantFrom('pushed', 'pulled', 'created', 'tagged', 'lastActive');
const duration = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('m', 'h', 'd')).map(([count, unit]) => `${count}${unit}`);
const span = fc.record({ of: time, duration });
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined });
const registry = fc.constantFrom('tests', 'snapshots', 'stage', 'prod', 'archive');
const orAny = fc.oneof(registry, fc.constant('any'));
const glob = fc.constantFrom('*', 'v*', 'br-?', '[a-c]*');

const match = fc.record(
  {
    repositories: fc.array(fc.constantFrom('**', 'team-*/**', 'a'), { minLength: 1, maxLength: 3 }),
    tags: fc.oneof(
      fc.record({ glob: fc.array(glob, { minLength: 1, maxLength: 3 }) }),
      fc.record({ regex: fc.constantFrom('v[0-9]+', 'pr-.*') }),
      fc.record({ semver: fc.constantFrom('>=1.0.0', '1.x || 2.x') }),
    ),
    tagState: fc.constantFrom('tagged', 'any'),
    annotations: fc.dictionary(
      fc.constantFrom('a', 'constructor', 'org.example/é'),
      fc.string({ minLength: 1, maxLength: 9, unit: fc.constantFrom('*', '?', 'ß', '😀', '"') }),
    ),
    signed: fc.boolean(),
    promotedTo: orAny,
    source: orAny,
  },
  { requiredKeys: [] },
);

const keep = fc.record(
  {
    action: fc.constant('keep'),
    match,
    criteria: fc.constantFrom('any', 'all'),
    mostRecent: fc.record({
      by: fc.constantFrom('pushed', 'semver', 'promoted'),
      count: fc.integer({ min: 1, max: 99 }),
      groupBy: maybe(fc.constant('^(.)')),
    }),
    within: span,
  },
  { requiredKeys: ['action'] },
);
const removal = fc.record(
  {
    action: fc.constantFrom('delete', 'untag'),
    match,
    criteria: fc.constantFrom('any', 'all'),
    olderThan: span,
    absentFrom: fc.record({ registry: fc.constant('prod-us'), duration }),
  },
  { requiredKeys: ['action'] },
);

const policy = fc.record({
  registry,
  mode: maybe(fc.constantFrom('disabled', 'dryRun')),
  schedule: fc.constantFrom<unknown>('0 3 * * *', { cron: '*/5 1 * * mon', timezone: 'Asia/Tokyo' }, { cron: '0 3 1 * *', window: '2h' }),
  repositories: fc.constantFrom<unknown>(['**'], { include: ['a/**'] }, { include: ['**'], exclude: ['b'] }),
  rules: maybe(fc.array(fc.oneof(keep, removal), { maxLength: 5 })),
  untagged: maybe(fc.record({ olderThan: duration })),
  protect: maybe(
    fc.record({
      immutable: maybe(fc.array(glob, { minLength: 1, maxLength: 2 })),
      rollbackDepth: maybe(fc.nat(9)),
      promotedWithin: maybe(duration),
    }),
  ),
  limits: maybe(
    fc.record({
      maxDeletePercent: maybe(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant('7%'), fc.constant(0.1))),
      maxDeleteBytes: maybe(fc.constant('3GiB')),
    }),
  ),
  grace: maybe(fc.record({ markFor: duration })),
  softDelete: maybe(fc.oneof(fc.constant('off'), fc.record({ ttl: duration }))),
});

/** JSON is YAML, on one line for each policy. */
function lineOf(entry: { readonly rules?: readonly object[] | undefined }, index: number): string {
  const rules = entry.rules?.map((rule, position) => ({ ...rule, name: `r${position}` }));
  return `- ${JSON.stringify({ ...entry, name: `p${index}`, rules })}`;
}

describe('a policy that is accepted', () => {
  it('means and hashes the same after a round through JSON', () => {
    fc.assert(
      fc.property(fc.array(policy, { minLength: 1, maxLength: 4 }), (entries) => {
        const { topology, diagnostics } = parseTopology(topologyText({ retention: entries.map(lineOf).join('\n') }), { file: 'x' });
        if (topology === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));

        const again = storedTopology(JSON.parse(JSON.stringify(topology)));

        expect(again).toEqual(topology);
        expect(canonicalTopology(again)).toBe(canonicalTopology(topology));
        expect(again.retention.map(policyHash)).toEqual(topology.retention.map(policyHash));
        expect(topology.retention).toHaveLength(entries.length + 1);
      }),
      runs,
    );
  });

  it('hashes the same when its keys stand in another order', () => {
    fc.assert(
      fc.property(policy, (entry) => {
        const [one, other] = [entry, Object.fromEntries(Object.entries(entry).toReversed())].map((written) => {
          const { topology } = parseTopology(topologyText({ retention: lineOf(written, 0) }), { file: 'x' });
          return topology?.retention.map(policyHash);
        });

        expect(one).toHaveLength(2);
        expect(other).toEqual(one);
      }),
      runs,
    );
  });
});

/** Everything that a policy may say, to be spoilt somewhere. */
const everything = {
  name: 'p',
  registry: 'prod-us',
  mode: 'dryRun',
  schedule: { cron: '0 3 * * *', timezone: 'UTC', window: '1h' },
  repositories: { include: ['a'], exclude: ['b'] },
  rules: [
    {
      name: 'k',
      action: 'keep',
      match: { tags: { glob: ['a'] }, annotations: { a: 'b' } },
      mostRecent: { by: 'pushed', count: 1, groupBy: 'a' },
    },
    {
      name: 'd',
      action: 'archive',
      to: 'archive',
      olderThan: { of: 'pushed', duration: '1d' },
      absentFrom: { registry: 'prod', duration: '1d' },
    },
  ],
  untagged: { olderThan: '1d' },
  protect: { immutable: ['v*'], rollbackDepth: 1 },
  limits: { maxDeletePercent: 100, maxDeleteBytes: '1B' },
  grace: { markFor: '1m' },
  softDelete: { ttl: '1d' },
};

function placesIn(value: unknown): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [[], ...entries.flatMap(([key, inner]: [string | number, unknown]) => placesIn(inner).map((place) => [key, ...place]))];
}

function spoilt(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = spoilt(copy[key], rest, by);
  return copy;
}

describe('a policy that is spoilt anywhere', () => {
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom<unknown>('enforce', 'delete', 'keep', 'untagged', 'off', 'prod', '0d', [undefined]),
  );

  it('is read to the end, and accepted only without an error', () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(everything)), junk, (place, by) => {
        const line = `- ${JSON.stringify(spoilt(everything, place, by))}`;

        const { topology, diagnostics } = parseTopology(topologyText({ retention: line }), { file: 'x' });

        expect(topology === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
      }),
      { ...runs, numRuns: runs.numRuns * 4 },
    );
  });
});
