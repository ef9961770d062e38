import { describe, expect, it } from '@jest/globals';
import { ErrorBody, ErrorEntry, MissingContent, TagList } from './schema.js';

describe('the schemas of what registries answer', () => {
  it.each([
    [{ code: 'DENIED' }, true],
    [{ code: 'DENIED', message: 'no', detail: null }, true],
    [{ code: 'DENIED', message: null, detail: [{ Type: 'repository' }] }, true],
    [{ message: 'no' }, false],
    [{ code: 7 }, false],
    ['DENIED', false],
  ])('an entry of errors: %j is one: %s', (entry, valid) => {
    expect(ErrorEntry.safeParse(entry).success).toBe(valid);
  });

  it.each([
    [{ errors: [] }, true],
    [{ errors: [{ code: 'X' }, 'rubbish'], extra: 1 }, true],
    [{ errors: { code: 'X' } }, false],
    [{ error: 'no' }, false],
    [null, false],
  ])('an error body: %j is one: %s', (body, valid) => {
    expect(ErrorBody.safeParse(body).success).toBe(valid);
  });

  it('takes a null list of tags, as Distribution writes it, for none', () => {
    expect(TagList.parse({ name: 'a', tags: null }).tags).toEqual([]);
    expect(TagList.parse({ name: 'a' }).tags).toEqual([]);
    expect(TagList.safeParse({ name: 'a', tags: [1] }).success).toBe(false);
  });

  it('knows the detail with which Distribution names missing content', () => {
    expect(MissingContent.safeParse({ digest: 'sha256:00' }).success).toBe(true);
    expect(MissingContent.safeParse('sha256:00').success).toBe(false);
  });
});
