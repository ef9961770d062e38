import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diagnose, placeOf, topologyText } from './planted.spec-helper.js';
import { parseTopology } from './parse-topology.js';

const file = 'topology.yaml';

function problemsOf(text: string): string[] {
  return parseTopology(text, { file }).diagnostics.map((one) => `${placeOf(one)} ${one.code}: ${one.message}`);
}

describe('parseTopology, the text', () => {
  it.each<[string, string, string]>([
    ['nothing', '', '1:1 document-empty: the file holds no topology'],
    ['comments only', '# nothing\n\n', '1:1 document-empty: the file holds no topology'],
    ['too much', `a: ${'x'.repeat(1024 * 1024)}`, '1:1 document-too-large: the file has 1048579 bytes, more than the 1048576 allowed'],
    ['two documents', 'a: 1\n---\nb: 1\n', '2:1 document-multiple: a topology is one YAML document; another begins here'],
    ['a tab', 'a:\n\tb: 1\n', '2:1 yaml-syntax: a tab indents this line; YAML allows spaces only'],
    ['a key that is no text', '? [1]\n: 2\n', '1:3 yaml-syntax: with stringKeys, all keys must be strings'],
    ['an unknown tag', 'a: !secret x\n', '1:4 yaml-syntax: unresolved tag: !secret'],
    ['an alias without anchor', 'a: *nope\n', '1:4 yaml-syntax: this alias has no anchor before it'],
    ['a key that no object can hold', 'a: { __proto__: 1 }\n', '1:6 name-invalid: "__proto__" cannot be a key'],
    ['another kind of document', '- a\n', '1:1 value-invalid: the topology must be a mapping, not a list'],
    ['a text', 'hello', '1:1 value-invalid: the topology must be a mapping, not a text'],
  ])('refuses %s', (_name, text, expected) => {
    expect(problemsOf(text)).toEqual([expected]);
  });

  it('reports every syntax error', () => {
    expect(problemsOf('a: b: c\nd: "x\n').length).toBeGreaterThan(1);
  });

  it.each([
    ['lists', '['.repeat(400_000)],
    ['mappings', '{a: '.repeat(200_000)],
    ['block lists', '- '.repeat(400_000)],
    ['keys', '? '.repeat(400_000)],
  ])('survives deeply nested %s', (_name, text) => {
    expect(problemsOf(text)).toEqual([expect.stringContaining('yaml-syntax: collections are nested more than 64 deep')]);
  });

  it('survives aliases that multiply each other', () => {
    const levels = [
      'a: &a [x, x, x, x, x, x, x, x]',
      ...['b', 'c', 'd', 'e'].map((name, index) => `${name}: &${name} [${`*${'abcd'.charAt(index)}, `.repeat(8)}]`),
    ];

    expect(problemsOf(levels.join('\n'))).toEqual(['1:1 aliases-too-many: aliases of aliases make the document too large']);
  });

  it('survives very many aliases', () => {
    expect(problemsOf(`a: &a 1\nb: [${'*a, '.repeat(5000)}]`)).toEqual(['2:405 aliases-too-many: more than 100 aliases stand in the file']);
  });

  it('does not look into a file of unreasonably many entries', () => {
    const registries = Array.from({ length: 1001 }, (_item, index) => `  r${index}: { rol: sandbox }`).join('\n');

    expect(problemsOf(`registries:\n${registries}\n`)).toEqual([
      '1:1 value-invalid: "registries" has 1001 entries, more than the 1000 allowed',
    ]);
  });

  it('reads anchors where they are used sensibly, CRLF and a byte order mark', () => {
    const text = topologyText({
      paths: [
        'p: { from: snapshots, to: [prod], repositories: &teams ["team-*/**"], tags: x }',
        'q: { from: tests, to: [stage], repositories: *teams, tags: x }',
      ].join('\n'),
    });

    const { topology, diagnostics } = parseTopology(`\uFEFF${text.replaceAll('\n', '\r\n')}`, { file });

    expect(diagnostics).toEqual([]);
    expect(topology?.paths['q']?.repositories).toEqual(['team-*/**']);
  });

  it('points at each key that is given twice', () => {
    const { found, marks } = diagnose('kind: Topology\n▶kind: Topology\nmetadata: { name: a, ▶name: b, ▶name: c }\n');

    const twice = found.filter(({ code }) => code === 'key-duplicate');
    expect(twice.map(placeOf)).toEqual(marks);
    expect(twice.map(({ message }) => message)).toEqual([
      'key "kind" was already given on line 1',
      'key "name" was already given on line 3',
      'key "name" was already given on line 3',
    ]);
  });
});

describe('parseTopology, all together', () => {
  it('finds every mistake in one run, in the order of the file', () => {
    const { found, marks } = diagnose(
      topologyText({
        locations: '▶Mars: {}',
        registries: [
          'shop: { role: ▶prd, ▶naming: {}, location: ▶uss, url: ▶"http://shop.example" }',
          '▶copy: { role: replica, location: us, local: true }',
        ].join('\n'),
        paths: [
          'p: { from: ▶snapshot, to: [prod, ▶prod], repositories: [▶"{a}"], tags: ▶"(" }',
          'q: { from: ▶box, to: [stage], repositories: ["**"], tags: x, target: ▶"{name}" }',
        ].join('\n'),
        replications: '- { from: ▶stage, to: [copy], repositories: ["**"] }',
      }),
    );

    expect(found.map((one) => `${placeOf(one)} ${one.code}`)).toEqual(
      [
        'name-invalid',
        'value-invalid',
        'not-implemented',
        'location-unknown',
        'url-insecure',
        'replica-of-nothing',
        'registry-unknown',
        'target-duplicate',
        'glob-invalid',
        'tags-invalid',
        'role-forbids',
        'paths-collide',
        'replication-source',
      ].map((code, index) => `${marks[index] ?? ''} ${code}`),
    );
  });

  it('gives no topology when anything is wrong, and one with warnings only', () => {
    expect(parseTopology(topologyText({ locations: 'Mars: {}' }), { file }).topology).toBeUndefined();

    const unfed = parseTopology(topologyText({ registries: 'copy: { role: replica, of: prod, location: us, local: true }' }), { file });
    expect(unfed.diagnostics.map(({ severity }) => severity)).toEqual(['warning']);
    expect(unfed.topology?.registries['copy']).toBeDefined();
  });

  it('says where it stands in the document as a JSON pointer', () => {
    const { diagnostics } = parseTopology(topologyText({ registries: '"a/b~c": { role: sandbox, location: eu, local: true }' }), { file });

    expect(diagnostics.map(({ path }) => path)).toEqual(['/registries/a~1b~0c']);
  });

  it('writes defaults out and spellings one way', () => {
    const { topology } = parseTopology(
      [
        'apiVersion: waybill/v1',
        'kind: Topology',
        'metadata: { name: small }',
        'locations: { eu: { egress: { eu: 0 } } }',
        'registries:',
        '  snapshots: { role: ci-snapshots, location: eu, local: { port: 5003 } }',
        '  prod: { role: prod, location: eu, url: "https://Prod.example:443/", prefix: acme, immutableTags: ["v*"], credentials: { write: { secret: prod-write } } }',
        '  copy: { role: replica, of: prod, location: eu, url: "http://10.0.0.1", insecure: true, credentials: { write: { secret: copy-write } } }',
        '  hub: { role: upstream, url: "https://registry-1.docker.io" }',
        'paths: { release: { from: snapshots, to: [prod], repositories: ["**"], tags: ".*" } }',
        'replications: [{ from: prod, to: [copy], repositories: ["**"] }]',
      ].join('\n'),
      { file },
    );

    const patterns = { kind: 'patterns', patterns: ['v*'] };
    expect(topology).toEqual({
      name: 'small',
      locations: { eu: { egress: { eu: 0 } } },
      registries: {
        snapshots: {
          name: 'snapshots',
          role: 'ci-snapshots',
          location: 'eu',
          local: { port: 5003 },
          immutableTags: { kind: 'none' },
          insecure: false,
        },
        prod: {
          name: 'prod',
          role: 'prod',
          location: 'eu',
          url: 'https://prod.example',
          prefix: 'acme',
          immutableTags: patterns,
          credentials: { write: { secret: 'prod-write' } },
          insecure: false,
        },
        copy: {
          name: 'copy',
          role: 'replica',
          of: 'prod',
          location: 'eu',
          url: 'http://10.0.0.1',
          immutableTags: patterns,
          credentials: { write: { secret: 'copy-write' } },
          insecure: true,
        },
        hub: { name: 'hub', role: 'upstream', url: 'https://registry-1.docker.io', immutableTags: { kind: 'none' }, insecure: false },
      },
      paths: { release: { name: 'release', from: 'snapshots', to: ['prod'], repositories: ['**'], tags: '.*', target: '{repository}' } },
      replications: [{ from: 'prod', to: ['copy'], repositories: ['**'] }],
      retention: [],
    });
  });

  it('throws for no text at all', () => {
    const alphabet = fc.constantFrom(
      ...Array.from('{}[]:,-?&*!|>\'"%@`#\n \tab1~'),
      'registries',
      'role',
      'paths',
      topologyText().slice(0, 300),
    );

    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), (pieces) => {
        const { topology, diagnostics } = parseTopology(pieces.join(''), { file });

        expect(topology === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
      }),
      { numRuns: 500 },
    );
  });
});
