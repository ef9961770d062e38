import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { admits } from './admits.js';
import { pathNamed } from './lookup.js';
import type { Topology } from './model.js';
import { parseTopology } from './parse-topology.js';
import { targetsOf } from './targets-of.js';

const root = join(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'topology.example.yaml'), 'utf8');

function example(): Topology {
  const { topology, diagnostics } = parseTopology(text, { file: 'topology.example.yaml' });
  expect(diagnostics).toEqual([]);
  if (topology === undefined) throw new Error('the example has no topology');
  return topology;
}

describe('topology.example.yaml', () => {
  it('is valid without a warning, and tells editors its schema first', () => {
    expect(example().name).toBe('example');
    expect(text.split('\n', 1)[0]).toBe('# yaml-language-server: $schema=./docs/topology.schema.json');
  });

  it('runs everything but Docker Hub here', () => {
    const remote = Object.values(example().registries).filter(({ local }) => local === undefined);

    expect(remote.map(({ name, url }) => [name, url])).toEqual([['docker-hub', 'https://registry-1.docker.io']]);
  });

  it('brings a release to prod and both replicas', () => {
    const targets = targetsOf(example(), 'release').map(({ registry, kind, of }) => [registry.name, registry.location, kind, of]);

    expect(targets).toEqual([
      ['prod', 'eu', 'required', undefined],
      ['prod-us', 'us', 'replication', 'prod'],
      ['prod-ap', 'ap', 'replication', 'prod'],
    ]);
  });

  it('only plans what the registries of CI would give up', () => {
    expect(example().retention.map(({ name, registry, mode }) => [name, registry, mode])).toEqual([
      ['ci-tests', 'ci-tests', 'dryRun'],
      ['ci-snapshots', 'ci-snapshots', 'dryRun'],
    ]);
  });

  it.each([
    ['waybill', '0.1.0-3fa9c1d20b7e', true],
    ['waybill', '0.1.0-001122334455', true],
    ['team-a/app', 'v1.4.0', true],
    ['team-a/group/app', '1.4.0-rc.1', true],
    ['team-a/app', 'latest', false],
    ['other/app', '1.4.0', false],
  ])('along release, %s:%s is admitted: %s', (repository, tag, expected) => {
    expect(admits(pathNamed(example(), 'release'), repository, tag).admitted).toBe(expected);
  });
});
