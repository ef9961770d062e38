import { describe, expect, it } from '@jest/globals';
import type { DiagnosticCode } from './diagnostic.js';
import { parseTopology } from './parse-topology.js';
import { diagnose, placeOf, topologyText } from './planted.spec-helper.js';

describe('schemaFindings', () => {
  it.each<[string, string, DiagnosticCode, string, string | undefined]>([
    ['an unknown key', '▶rol: prod', 'key-unknown', 'unknown key "rol"', 'role'],
    ['a key without likeness', '▶colour: red', 'key-unknown', 'unknown key "colour"', undefined],
    ['a planned key', '▶naming: {}', 'not-implemented', 'key "naming" is not implemented yet', undefined],
    ['a planned limit', 'limits: { ▶bandwidth: 1GiB/s }', 'not-implemented', 'key "bandwidth" is not implemented yet', undefined],
    ['a word that is no role', 'role: ▶production', 'value-invalid', '"role" must be one of "sandbox", "ci-tests"', 'prod'],
    ['a role that is no word', 'role: ▶7', 'value-invalid', 'and "upstream", not a number', undefined],
    ['a url that is no text', 'url: ▶[]', 'value-invalid', '"url" must be a text, not a list', undefined],
    ['a url with a path', 'url: ▶"https://a.example/acme"', 'url-invalid', 'a path below it is the registry\'s "prefix"', undefined],
    ['a url with a password', 'url: ▶"https://u:p@a.example"', 'url-credentials', 'must not hold a user name or password', undefined],
    ['local that is false', 'local: ▶false', 'value-invalid', '"local" must be true, not false', undefined],
    ['a port out of range', 'local: { port: ▶70000 }', 'value-invalid', '"port" must be at most 65535', undefined],
    ['a port that is no whole number', 'local: { port: ▶1.5 }', 'value-invalid', '"port" must be a whole number, not a number', undefined],
    ['an unknown key of local', 'local: { ▶prot: 1 }', 'key-unknown', 'unknown key "prot"', 'port'],
    ['a prefix that is no name', 'prefix: ▶acme/', 'value-invalid', '"prefix" is not a repository name', undefined],
    [
      'a word that is no tag rule',
      'immutableTags: ▶semvar',
      'value-invalid',
      'must be one of "none", "semver" and "all", not "semvar"',
      'semver',
    ],
    ['tag globs of nothing', 'immutableTags: ▶[]', 'value-invalid', '"immutableTags" must have at least 1 entries', undefined],
    ['a tag glob that is broken', 'immutableTags: ["v*", ▶"{1,2}"]', 'glob-invalid', 'an entry of "immutableTags" has "{"', undefined],
    [
      'a tag glob that is no text',
      'immutableTags: [▶1]',
      'value-invalid',
      'an entry of "immutableTags" must be a text, not a number',
      undefined,
    ],
    ['unknown credentials', 'credentials: { ▶reed: {} }', 'key-unknown', 'unknown key "reed"', 'read'],
    [
      'a secret that is no name',
      'credentials: { read: { secret: ▶hunter2! } }',
      'name-invalid',
      '"secret" is not the name of a secret',
      undefined,
    ],
    ['a secret in clear', 'credentials: { read: ▶hunter2 }', 'value-invalid', '"read" must be a mapping, not a text', undefined],
    ['insecure that is no truth', 'insecure: ▶"yes"', 'value-invalid', '"insecure" must be true or false, not a text', undefined],
  ])('of a registry: %s', (_name, keys, ...expected) => {
    const [code, says, suggestion] = expected;
    const { found, marks } = diagnose(topologyText({ registries: `far: { ${keys} }` }));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found, diagnostic }).toMatchObject({ diagnostic: { severity: 'error', message: expect.stringContaining(says) } });
    expect(diagnostic?.suggestion).toBe(suggestion);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  it.each<[string, string, DiagnosticCode, string, string | undefined]>([
    ['planned referrers', '▶referrers: { include: all }', 'not-implemented', 'key "referrers" is not implemented yet', undefined],
    ['planned gates', '▶gates: []', 'not-implemented', 'key "gates" is not implemented yet', undefined],
    ['an unknown key', '▶tag: x', 'key-unknown', 'unknown key "tag"', 'tags'],
    ['one target that is no list', 'to: ▶prod', 'value-invalid', '"to" must be a list, not a text', undefined],
    ['no target', 'to: ▶[]', 'value-invalid', '"to" must have at least 1 entries', undefined],
    [
      'a glob that is broken',
      'repositories: ["a", ▶"b**"]',
      'glob-invalid',
      'an entry of "repositories" has "**" as a part of a segment',
      undefined,
    ],
    ['an exclusion', 'repositories: [▶"!a"]', 'glob-invalid', 'exclusions are not known', undefined],
    ['a tag expression that is broken', 'tags: ▶"v("', 'tags-invalid', '"tags" is no RE2 expression: missing closing )', undefined],
    ['a tag expression that looks ahead', 'tags: ▶"(?=v)v1"', 'tags-invalid', '"tags" is no RE2 expression', undefined],
    [
      'a template variable that is unknown',
      'target: ▶"{repo}"',
      'template-invalid',
      '"target" has the unknown variable "{repo}"',
      '{repository}',
    ],
    ['a template that makes no name', 'target: ▶"Acme/{name}"', 'template-invalid', '"target" makes no repository name', undefined],
  ])('of a path: %s', (_name, keys, ...expected) => {
    const [code, says, suggestion] = expected;
    const { found, marks } = diagnose(topologyText({ paths: `p: { ${keys} }` }));

    const diagnostic = found.find((one) => one.code === code && placeOf(one) === marks[0]);
    expect({ found, diagnostic }).toMatchObject({ diagnostic: { severity: 'error', message: expect.stringContaining(says) } });
    expect(diagnostic?.suggestion).toBe(suggestion);
  });

  it.each(['mirrors: []', 'access: {}'])('of the file: %s is planned', (line) => {
    const { found, marks } = diagnose(`${topologyText()}▶${line}\n`);

    expect(found).toMatchObject([{ code: 'not-implemented', path: `/${line.split(':')[0] ?? ''}` }]);
    expect(found.map(placeOf)).toEqual(marks);
  });

  it.each([
    ['apiVersion: waybill/v1', 'apiVersion: ▶waybill/v2', '"apiVersion" must be waybill/v1, not "waybill/v2"'],
    ['kind: Topology', 'kind: ▶Topolgy', '"kind" must be Topology, not "Topolgy"'],
    ['{ name: spec }', '{ name: ▶My Company }', '"My Company" is not a name'],
    ['{ name: spec }', `{ name: ▶${'a'.repeat(64)} }`, '"name" must have at most 63 characters'],
    ['  eu: {}', '  ▶eu:', '"eu" must be a mapping, not empty; write {} for none'],
    ['  eu: {}', '  eu: { egress: { us: ▶-1 } }', '"us" must be at least 0'],
    ['  eu: {}', '  eu: { egress: { us: ▶.inf } }', '"us" must be a number'],
    ['replications:', '▶replication:', 'unknown key "replication"'],
  ])('of the file: %s, written %s', (sound, broken, says) => {
    const { found, marks } = diagnose(topologyText().replace(sound, broken));

    expect(found.map((one) => `${placeOf(one)} ${one.message}`)).toContainEqual(expect.stringMatching(new RegExp(`^${marks[0] ?? ''} `)));
    expect(found.find((one) => placeOf(one) === marks[0])?.message).toContain(says);
  });

  it('of a replication: an unknown key', () => {
    const { found, marks } = diagnose(topologyText({ replications: '- { from: prod, to: [prod-us], ▶repos: ["a"] }' }));

    expect(found.find(({ code }) => code === 'key-unknown')).toMatchObject({ path: '/replications/1/repos', suggestion: 'repositories' });
    expect(found.map(placeOf)).toContain(marks[0]);
  });

  it('refuses names of entries, and still looks behind them', () => {
    const { found, marks } = diagnose(
      topologyText({ registries: `▶My_Box: { ▶rol: sandbox }\n▶${'a'.repeat(64)}: { role: sandbox, location: eu, local: true }` }),
    );

    expect(found.filter(({ code }) => code.startsWith('name-') || code === 'key-unknown').map(placeOf)).toEqual(marks);
    expect(found.map(({ message }) => message)).toContain(`name "${'a'.repeat(64)}" is longer than 63 characters`);
  });

  it('names every missing key', () => {
    const { diagnostics } = parseTopology('kind: Topology\n', { file: 'topology.yaml' });

    expect(diagnostics.map((one) => `${placeOf(one)} ${one.code}: ${one.message}`)).toEqual(
      ['apiVersion', 'metadata', 'locations', 'registries'].map((key) => `1:1 key-missing: key "${key}" is missing`),
    );
  });
});
