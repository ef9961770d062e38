import { describe, expect, it } from '@jest/globals';
import type { ProbeName, ProbeResult } from '@waybill/oci-model';
import type { Registry, Topology } from './model.js';
import { neededProbes, readOnlyBecause, unmetNeeds } from './registry-needs.js';

const facts = { location: 'eu', insecure: false, immutableTags: { kind: 'none' } } as const;
const secret = { secret: 'a-secret' };
const registries: Readonly<Record<string, Registry>> = {
  ci: { ...facts, name: 'ci', role: 'ci-snapshots', url: 'https://ci.example.com' },
  prod: { ...facts, name: 'prod', role: 'prod', url: 'https://prod.example.com', credentials: { write: secret } },
  'prod-us': { ...facts, name: 'prod-us', role: 'replica', of: 'prod', local: {} },
  hub: { ...facts, name: 'hub', role: 'upstream', url: 'https://hub.example.com', credentials: { write: secret } },
  mirror: { ...facts, name: 'mirror', role: 'cache', local: {} },
};
const topology: Topology = {
  name: 'spec',
  locations: { eu: { egress: {} } },
  registries,
  paths: { release: { name: 'release', from: 'ci', to: ['prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
  replications: [{ from: 'prod', to: ['prod-us'], repositories: ['**'] }],
  retention: [],
};

describe('readOnlyBecause', () => {
  it.each([
    ['ci', 'the topology gives no write credentials'],
    ['prod', undefined],
    ['prod-us', undefined],
    ['hub', 'nothing is ever written to a registry of role upstream'],
    ['mirror', 'nothing is ever written to a registry of role cache'],
  ])('of %s: %s', (name, why) => {
    expect(readOnlyBecause(registries[name]!)).toBe(why);
  });
});

describe('neededProbes', () => {
  it.each([
    ['ci', ['reachable', 'read']],
    ['prod', ['reachable', 'read', 'write', 'push', 'pull']],
    ['prod-us', ['reachable', 'read', 'write', 'push', 'pull']],
    ['hub', []],
  ])('of %s: %j', (name, needed) => {
    expect(neededProbes(topology, name)).toEqual(needed);
  });
});

describe('unmetNeeds', () => {
  const ok = (probe: ProbeName): ProbeResult => ({ probe, ms: 1, outcome: 'ok' });
  const skipped = (probe: ProbeName): ProbeResult => ({ probe, ms: 0, outcome: 'skipped', why: 'a reason' });
  const failed = (probe: ProbeName): ProbeResult => ({ probe, ms: 1, outcome: 'failed', code: 'denied', message: 'no', advice: 'ask' });

  it.each<[string, string, readonly ProbeResult[] | undefined, readonly ProbeName[]]>([
    ['a source that can be read', 'ci', [ok('reachable'), ok('read'), skipped('write')], []],
    ['a clock that is wrong', 'ci', [ok('reachable'), failed('clock'), ok('read')], []],
    [
      'a target that takes no manifest',
      'prod',
      [ok('reachable'), ok('read'), ok('write'), failed('push'), skipped('pull')],
      ['push', 'pull'],
    ],
    ['a replica that cannot be written to', 'prod-us', [ok('reachable'), ok('read'), failed('write')], ['write', 'push', 'pull']],
    ['no report', 'ci', undefined, ['reachable', 'read']],
    ['a registry that nothing leads from or to', 'hub', [failed('reachable')], []],
  ])('of %s', (_what, name, probes, unmet) => {
    expect(unmetNeeds(topology, name, probes === undefined ? undefined : { probes })).toEqual(unmet);
  });
});
