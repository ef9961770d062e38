import { describe, expect, it } from '@jest/globals';
import { parseTopology } from '../parse-topology.js';
import { topologyText } from '../planted.spec-helper.js';
import { secretNames } from '../secret-names.js';
import { heardRegistries } from './notifications-of.js';

describe('heardRegistries', () => {
  const registries = [
    'told: { role: staging, location: us, url: "https://one.example", notifications: { secret: told-shows, heartbeat: 1h } }',
    'dumb: { role: staging, location: us, url: "https://two.example" }',
    'loud: { role: staging, location: eu, local: true, notifications: { ignore: { actors: [x] } } }',
  ].join('\n');
  const { topology } = parseTopology(topologyText({ registries }), { file: 'spec.yaml' });
  if (topology === undefined) throw new Error('the topology is not sound');

  it('gives those that are declared to tell something, and local ones that are looked after', () => {
    const heard = heardRegistries(topology).map(({ registry, ...how }) => [registry.name, how]);

    expect(Object.fromEntries(heard)).toMatchObject({
      told: { location: 'us', silenceMs: 3_600_000, secret: 'told-shows', ignore: {} },
      loud: { location: 'eu', silenceMs: 300_000, secret: undefined, ignore: { actors: ['x'] } },
      tests: { location: 'eu', silenceMs: 300_000, secret: undefined, ignore: {} },
    });
    expect(heard.map(([name]) => name)).not.toEqual(expect.arrayContaining(['dumb']));
    expect(heard.map(([name]) => name)).not.toEqual(expect.arrayContaining(['mirror']));
  });

  it('has secrets that are read like all others', () => {
    expect(secretNames(topology)).toEqual(['told-shows']);
  });
});
