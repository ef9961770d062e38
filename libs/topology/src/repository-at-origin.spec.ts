import { describe, expect, it } from '@jest/globals';
import { repository } from './questions.spec-helper.js';
import { repositoryAtOrigin } from './repository-at-origin.js';

describe('repositoryAtOrigin', () => {
  it('puts the prefix before the name', () => {
    expect(repositoryAtOrigin({ prefix: repository('acme') }, repository('team/app'))).toBe('acme/team/app');
    expect(repositoryAtOrigin({}, repository('team/app'))).toBe('team/app');
  });

  it('fails when both together are no name any more', () => {
    expect(() => repositoryAtOrigin({ prefix: repository('acme') }, repository('a'.repeat(255)))).toThrow(
      expect.objectContaining({ code: 'reference-invalid' }),
    );
  });
});
