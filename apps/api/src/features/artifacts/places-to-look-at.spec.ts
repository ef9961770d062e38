import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName, type RepositoryName } from '@waybill/oci-model';
import type { KnownPlace } from '@waybill/persistence';
import type { Registry, Role, Topology } from '@waybill/topology';
import { placesToLookAt, type PlacesOptions } from './places-to-look-at.js';

function registry(name: string, role: Role): Registry {
  return { name, role, location: 'eu', insecure: false, url: `https://${name}.example.com`, immutableTags: { kind: 'none' } };
}

const topology: Topology = {
  name: 'spec',
  locations: {},
  registries: {
    ci: registry('ci', 'ci-snapshots'),
    prod: registry('prod', 'prod'),
    cache: registry('cache', 'cache'),
    hub: registry('hub', 'upstream'),
  },
  paths: {},
  replications: [],
  retention: [],
};
const nameOf = new Map([
  ['1', 'ci'],
  ['2', 'prod'],
]);

function known(registryId: string, repository = 'team-a/app'): KnownPlace {
  return {
    registryId,
    repository: parseRepositoryName(repository),
    record: 'placement',
    since: undefined,
    until: undefined,
    lastSeen: undefined,
    promotionId: undefined,
    deletion: undefined,
  };
}

function look(places: readonly KnownPlace[], options: Partial<PlacesOptions> = {}): string[] {
  const candidates = placesToLookAt(places, { topology, nameOf, repository: undefined, isFirst: true, isWhole: true, ...options });
  return candidates.map((one) => `${one.registry.name}/${one.repository}${one.known === undefined ? '?' : ''}`);
}

describe('placesToLookAt', () => {
  const named = 'team-b/app' as RepositoryName;

  it.each<[string, readonly KnownPlace[], Partial<PlacesOptions>, string[]]>([
    ['nowhere when nothing is known', [], {}, []],
    ['where it is known, and in the same repository of those that know nothing', [known('1')], {}, ['ci/team-a/app', 'prod/team-a/app?']],
    ['nowhere on a guess when every registry knows something', [known('1'), known('2', 'other')], {}, ['ci/team-a/app', 'prod/other']],
    ['nowhere on a guess while more may be known', [known('1')], { isWhole: false }, ['ci/team-a/app']],
    [
      'on a guess in no more than three repositories',
      ['a', 'b', 'c', 'd'].map((name) => known('1', name)),
      {},
      ['ci/a', 'ci/b', 'ci/c', 'ci/d', 'prod/a?', 'prod/b?', 'prod/c?'],
    ],
    [
      'in the named repository of every registry but a cache',
      [known('1')],
      { repository: named },
      ['ci/team-a/app', 'ci/team-b/app?', 'prod/team-b/app?', 'hub/team-b/app?'],
    ],
    [
      'once where the named repository is known',
      [known('1', named)],
      { repository: named },
      ['ci/team-b/app', 'prod/team-b/app?', 'hub/team-b/app?'],
    ],
    ['only where it is known on a later page', [known('1')], { repository: named, isFirst: false }, ['ci/team-a/app']],
    ['at no registry that the topology has no more', [known('3')], {}, []],
  ])('looks %s', (_where, places, options, expected) => {
    expect(look(places, options)).toEqual(expected);
  });
});
