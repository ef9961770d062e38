import { describe, expect, it } from '@jest/globals';
import { pathWith, repository } from './questions.spec-helper.js';
import { targetRepository } from './target-repository.js';

describe('targetRepository', () => {
  it('applies the template', () => {
    const path = pathWith({ target: '{registry}/{repository}' });

    expect(targetRepository(path, { registry: 'snapshots', repository: repository('team-a/app') })).toBe('snapshots/team-a/app');
  });

  it('fails when no repository name comes out', () => {
    const path = pathWith({ target: '{namespace}' });

    expect(() => targetRepository(path, { registry: 'snapshots', repository: repository('app') })).toThrow(
      expect.objectContaining({ name: 'TopologyError', code: 'target-invalid', details: { path: 'release', repository: 'app' } }),
    );
  });
});
