import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { areReasonable, coversScopes, type Deed, mergeScopes, parseScopes, scopesFor, scopeTexts } from './scopes.js';

const repository = parseRepositoryName('team/app');
const mountedFrom = parseRepositoryName('team/base');

describe('scopes', () => {
  it.each<[string, Deed, readonly string[]]>([
    ['a read', { method: 'GET', kind: 'manifest', access: 'read', repository }, ['repository:team/app:pull']],
    ['a write', { method: 'PUT', kind: 'manifest', access: 'write', repository }, ['repository:team/app:pull,push']],
    ['giving an upload up', { method: 'DELETE', kind: 'upload', access: 'write', repository }, ['repository:team/app:delete,pull,push']],
    ['a deletion', { method: 'DELETE', kind: 'delete', access: 'delete', repository }, ['repository:team/app:delete']],
    [
      'a mount',
      { method: 'POST', kind: 'mount', access: 'write', repository, mountedFrom },
      ['repository:team/app:pull,push', 'repository:team/base:pull'],
    ],
    [
      'a mount from itself',
      { method: 'POST', kind: 'mount', access: 'write', repository, mountedFrom: repository },
      ['repository:team/app:pull,push'],
    ],
    ['the catalogue', { method: 'GET', kind: 'catalog', access: 'read' }, ['registry:catalog:*']],
    ['a ping', { method: 'GET', kind: 'ping', access: 'read' }, []],
  ])('of %s are those that Distribution asks for', (_what, deed, texts) => {
    expect(scopeTexts(scopesFor(deed))).toEqual(texts);
  });

  it.each<[string | undefined, readonly string[]]>([
    ['repository:b:push,pull repository:a:pull', ['repository:a:pull', 'repository:b:pull,push']],
    ['repository:a:pull repository:a:push repository:a:pull', ['repository:a:pull,push']],
    ['repository:host:5000/team/app:pull', ['repository:host:5000/team/app:pull']],
    ['repository(plugin):a:pull', ['repository(plugin):a:pull']],
    ['registry:catalog:*', ['registry:catalog:*']],
    ['repository:a:pull,,push', ['repository:a:pull,push']],
    ['pull repository: repository:a repository:a: :a:pull repository:a"b:pull', []],
    ['', []],
    [undefined, []],
  ])('are read from %j', (text, texts) => {
    expect(scopeTexts(parseScopes(text))).toEqual(texts);
  });

  it.each([
    ['repository:a:pull,push', 'repository:a:pull', true],
    ['repository:a:pull repository:b:pull', 'repository:b:pull', true],
    ['repository:a:pull', '', true],
    ['repository:a:pull', 'repository:a:pull,push', false],
    ['repository:a:pull', 'repository:b:pull', false],
    ['repository:a:*', 'repository:a:pull', false],
  ])('%j covers %j: %s', (held, wanted, covers) => {
    expect(coversScopes(parseScopes(held), parseScopes(wanted))).toBe(covers);
  });

  it('are one for each resource when merged', () => {
    expect(scopeTexts(mergeScopes(parseScopes('repository:a:pull'), parseScopes('repository:b:pull repository:a:push')))).toEqual([
      'repository:a:pull,push',
      'repository:b:pull',
    ]);
  });

  it('are few and short, or not reasonable', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, index) => `repository:app-${index}:pull`).join(' ');

    expect(areReasonable(parseScopes(many(8)))).toBe(true);
    expect(areReasonable(parseScopes(many(9)))).toBe(false);
    expect(areReasonable(parseScopes(`repository:${'a'.repeat(2_000)}:pull`))).toBe(false);
  });
});
