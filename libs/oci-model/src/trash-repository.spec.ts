import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from './reference.js';
import { isTrashRepository, trashRepositoryOf } from './trash-repository.js';

describe('the trash of a repository', () => {
  it('stands below a prefix of its own', () => {
    const trash = trashRepositoryOf(parseRepositoryName('team-a/app'));

    expect(trash).toBe('waybill-trash/team-a/app');
    expect(isTrashRepository(trash)).toBe(true);
  });

  it.each([
    ['waybill-trash', true],
    ['waybill-trash/app', true],
    ['waybill-trashed/app', false],
    ['team-a/waybill-trash/app', false],
  ])('is known by its name: %s', (name, isTrash) => {
    expect(isTrashRepository(name)).toBe(isTrash);
  });

  it('is refused for a name that leaves no room', () => {
    const longest = parseRepositoryName('a'.repeat(250));

    expect(() => trashRepositoryOf(longest)).toThrow(expect.objectContaining({ code: 'reference-invalid' }));
  });
});
