import { describe, expect, it } from '@jest/globals';
import { canonicalTopology } from './canonical-topology.js';
import { parseTopology } from './parse-topology.js';
import { storedTopology } from './stored-topology.js';

function canonical(...lines: readonly string[]): string {
  const { topology } = parseTopology(['apiVersion: waybill/v1', 'kind: Topology', 'metadata: { name: x }', ...lines].join('\n'), {
    file: 'x',
  });
  if (topology === undefined) throw new Error('not valid');
  return canonicalTopology(topology);
}

const plain = canonical(
  'locations: { eu: {}, us: {} }',
  'registries:',
  '  a: { role: ci-snapshots, location: eu, local: true }',
  '  b: { role: prod, location: us, url: "https://b.example", credentials: { write: { secret: b } } }',
  'paths: { p: { from: a, to: [b], repositories: ["x", "y"], tags: ".*" } }',
);

describe('canonicalTopology', () => {
  it('is the same for another order, other spellings and written defaults', () => {
    const other = canonical(
      'paths: { p: { target: "{repository}", tags: ".*", repositories: ["x", "y"], to: [b], from: a } } # a comment',
      'replications: []',
      'registries:',
      '  b: { url: "https://B.example:443/", location: us, role: prod, immutableTags: all, credentials: { write: { secret: b } } }',
      '  a: { local: {}, location: eu, role: ci-snapshots, immutableTags: none }',
      'locations: { us: { egress: {} }, eu: {} }',
    );

    expect(other).toBe(plain);
  });

  it('differs when a list or a value does', () => {
    expect(canonicalTopology({ ...storedTopology(JSON.parse(plain)), name: 'y' })).not.toBe(plain);
    expect(plain).toContain('"repositories":["x","y"]');
  });

  it('is what it always was, so that a file keeps its revision when the language grows', () => {
    const registries = [
      'a: { role: prod, location: eu, local: { port: 5000 }, immutableTags: ["v*"], capabilities: { mount: false } }',
      'b: { role: replica, of: a, location: eu, url: "http://b.example", insecure: true, prefix: acme, credentials: { read: { secret: r }, write: { secret: w } } }',
      'c: { role: upstream, url: "https://c.example" }',
    ];

    expect(canonical('locations: { eu: { egress: { eu: 0.5 } } }', 'registries:', ...registries.map((line) => `  ${line}`))).toBe(
      [
        '{"locations":{"eu":{"egress":{"eu":0.5}}},"name":"x","paths":{},"registries":{',
        '"a":{"capabilities":{"mount":false},"immutableTags":{"kind":"patterns","patterns":["v*"]},"insecure":false,',
        '"local":{"port":5000},"location":"eu","name":"a","role":"prod"},',
        '"b":{"credentials":{"read":{"secret":"r"},"write":{"secret":"w"}},"immutableTags":{"kind":"patterns","patterns":["v*"]},',
        '"insecure":true,"location":"eu","name":"b","of":"a","prefix":"acme","role":"replica","url":"http://b.example"},',
        '"c":{"immutableTags":{"kind":"none"},"insecure":false,"name":"c","role":"upstream","url":"https://c.example"}',
        '},"replications":[]}',
      ].join(''),
    );
  });

  it('survives being stored as JSON', () => {
    expect(canonicalTopology(storedTopology(JSON.parse(plain)))).toBe(plain);
  });
});
