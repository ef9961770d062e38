import { describe, expect, it } from '@jest/globals';
import { parseTopology } from '../parse-topology.js';
import { diagnose, placeOf, topologyText } from '../planted.spec-helper.js';

const remote = 'location: eu, url: "https://registry.example"';

describe('notifications', () => {
  it.each([
    [
      `x: { role: staging, ${remote}, ▶notifications: { heartbeat: 10m } }`,
      'notifications-secret',
      'registry "x" shows no "secret", so nobody could tell who speaks: name one',
    ],
    [
      'x: { role: staging, location: eu, local: true, notifications: { ▶secret: a } }',
      'local-excludes',
      '"secret" means nothing for a local registry: it is given one when it is started',
    ],
    [
      'x: { role: upstream, url: "https://registry.example", ▶notifications: { secret: a } }',
      'notifications-role',
      'nobody looks after what "x" holds: it has the role "upstream"',
    ],
    [
      `x: { role: staging, ${remote}, credentials: { write: { secret: a } }, notifications: { secret: ▶a } }`,
      'secret-shared',
      'secret "a" belongs to registry "x": give the notifications of registry "x" one of its own',
    ],
    [
      [
        `x: { role: staging, ${remote}, prefix: x, notifications: { secret: a } }`,
        `y: { role: staging, ${remote}, prefix: y, notifications: { secret: ▶a } }`,
      ].join('\n'),
      'secret-shared',
      'secret "a" is what registry "x" shows with its notifications: give the notifications of registry "y" one of its own',
    ],
    [
      `x: { role: staging, ${remote}, notifications: { secret: a, heartbeat: ▶30s } }`,
      'value-invalid',
      'must be at least 1m and at most 7d',
    ],
    [`x: { role: staging, ${remote}, notifications: { secret: a, heartbeat: ▶often } }`, 'value-invalid', 'is no duration'],
    [`x: { role: staging, ${remote}, notifications: { secret: a, ignore: { userAgents: [▶""] } } }`, 'glob-invalid', 'is empty'],
    [`x: { role: staging, ${remote}, notifications: { secret: a, ▶ignored: {} } }`, 'key-unknown', 'ignore'],
  ])('finds what is wrong in %s', (registries, code, message) => {
    const { found, marks } = diagnose(topologyText({ registries }));

    expect(found.map((one) => [one.code, placeOf(one)])).toEqual([[code, marks[0]]]);
    expect(found[0]?.message).toContain(message);
  });

  it('are taken as they are written', () => {
    const registries = `x: { role: staging, ${remote}, notifications: { secret: a, heartbeat: 10m, ignore: { userAgents: ["Trivy/*"], actors: [scanner] } } }`;
    const { topology } = parseTopology(topologyText({ registries }), { file: 'spec.yaml' });

    expect(topology?.registries['x']?.notifications).toEqual({
      secret: 'a',
      heartbeatMs: 600_000,
      ignore: { userAgents: ['Trivy/*'], actors: ['scanner'] },
    });
  });
});
