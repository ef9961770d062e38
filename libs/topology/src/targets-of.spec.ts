import { describe, expect, it } from '@jest/globals';
import { repository, topologyWith } from './questions.spec-helper.js';
import { targetsOf } from './targets-of.js';

const topology = topologyWith({
  registries: 'prod-ap: { role: replica, of: prod, location: us, local: true }',
  paths: [
    'release: { from: snapshots, to: [stage, prod], repositories: ["**"], tags: ".*" }',
    'keep: { from: prod, to: [archive], repositories: ["**"], tags: ".*" }',
  ].join('\n'),
  replications: '- { from: prod, to: [prod-ap, prod-us], repositories: ["public/**"] }',
});

function names(path: string, target?: string): string[] {
  const targets = target === undefined ? targetsOf(topology, path) : targetsOf(topology, path, repository(target));
  return targets.map(({ registry, kind, of }) => `${kind} ${registry.name}${of === undefined ? '' : ` of ${of}`}`);
}

describe('targetsOf', () => {
  it('lists each target, and behind a prod its replicas, each once', () => {
    expect(names('release')).toEqual(['required stage', 'required prod', 'replication prod-us of prod', 'replication prod-ap of prod']);
  });

  it('leaves out replicas whose replications do not carry the target repository', () => {
    expect(names('release', 'team/app')).toEqual(['required stage', 'required prod', 'replication prod-us of prod']);
    expect(names('release', 'public/app')).toContain('replication prod-ap of prod');
  });

  it('joins no replicas of the source', () => {
    expect(names('keep')).toEqual(['required archive']);
  });

  it('knows no other paths, and says which are near', () => {
    expect(() => targetsOf(topology, 'releas')).toThrow(expect.objectContaining({ code: 'path-unknown', details: { near: ['release'] } }));
    expect(() => targetsOf(topology, 'constructor')).toThrow(expect.objectContaining({ code: 'path-unknown' }));
  });

  it('does not trust a topology that nobody validated', () => {
    const broken = { ...topology, paths: { bad: { ...topology.paths['keep']!, to: ['hub'] } } };

    expect(() => targetsOf(broken, 'bad')).toThrow('upstream "hub" is a target');
  });
});
