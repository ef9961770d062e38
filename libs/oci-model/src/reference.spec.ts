import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestFromBytes } from './digest.js';
import {
  formatArtifactReference,
  isRepositoryName,
  isReservedTag,
  isTag,
  parseArtifactReference,
  parseRepositoryName,
  parseTag,
} from './reference.js';

const hex = 'a'.repeat(64);

const characters = Array.from('abcdefghijklmnopqrstuvwxyz0123456789');
const word = fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength: 6 });
const separator = fc.constantFrom('.', '_', '__', '-', '---');
/** Built by the grammar of the specification, not by the expression under test. */
const segment = fc.tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 2 })).map(([first, rest]) => first + rest.flat().join(''));
const repository = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
const tag = fc
  .tuple(fc.constantFrom(...characters, 'Z', '_'), fc.string({ unit: fc.constantFrom(...characters, 'A', '.', '-', '_'), maxLength: 127 }))
  .map(([first, rest]) => first + rest);
const digest = fc
  .oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ minLength: 64, maxLength: 64 }))
  .map(digestFromBytes);
const registry = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('-'));

const reference = fc
  .tuple(registry, repository, fc.option(tag, { nil: undefined }), fc.option(digest, { nil: undefined }))
  .map(([registryName, repositoryName, tagName, digestText]) => ({
    registry: registryName,
    repository: parseRepositoryName(repositoryName),
    ...(tagName === undefined ? {} : { tag: parseTag(tagName) }),
    ...(digestText === undefined ? {} : { digest: digestText }),
  }));

describe('formatArtifactReference', () => {
  it('writes what parseArtifactReference reads back', () => {
    fc.assert(fc.property(reference, (artifact) => expect(parseArtifactReference(formatArtifactReference(artifact))).toEqual(artifact)));
  });
});

describe('parseArtifactReference', () => {
  it('takes a text as it was written or refuses it, whatever it is', () => {
    const hostile = fc.string({ unit: fc.constantFrom('a', 'B', '0', '/', ':', '@', '.', '-', '_', ' ', '\n', '\0', 'é'), maxLength: 40 });
    fc.assert(
      fc.property(hostile, (text) => {
        const parsed = (() => {
          try {
            return formatArtifactReference(parseArtifactReference(text));
          } catch (error) {
            expect(error).toMatchObject({ code: 'reference-invalid' });
            return undefined;
          }
        })();
        expect([undefined, text]).toContain(parsed);
      }),
    );
  });

  it('quotes no more of a hostile text than a line', () => {
    expect(() => parseArtifactReference('x'.repeat(1_000_000))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) }),
    );
  });

  it.each([
    ['prod/team/app:1.2.3', { registry: 'prod', repository: 'team/app', tag: '1.2.3' }],
    [`prod/app@sha256:${hex}`, { registry: 'prod', repository: 'app', digest: `sha256:${hex}` }],
    [`prod/app:v1@sha256:${hex}`, { registry: 'prod', repository: 'app', tag: 'v1', digest: `sha256:${hex}` }],
    ['prod/app', { registry: 'prod', repository: 'app' }],
  ])('parses %s', (text, expected) => {
    expect(parseArtifactReference(text)).toEqual(expected);
  });

  it.each([
    '',
    'app',
    '/app',
    'prod/',
    'prod/App',
    'prod/app:',
    'prod/app:-x',
    'prod/app@sha256:12',
    'prod/a@b@c',
    `prod/app@sha256:${hex.toUpperCase()}`,
  ])('refuses %j', (text) => {
    expect(() => parseArtifactReference(text)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/reference-invalid|digest-invalid/) }),
    );
  });
});

describe('parseRepositoryName', () => {
  it('takes every name of the grammar of distribution-spec v1.1.1', () => {
    fc.assert(fc.property(repository, (name) => expect(isRepositoryName(name)).toBe(true)));
  });

  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'A',
    'a_',
    '_a',
    '.a',
    'a.',
    'a..b',
    'a___b',
    'a-/b',
    'a:b',
    'a@b',
    'a b',
    'a\n',
    'ä',
    '..',
    'a/../b',
  ])('refuses %j', (name) => {
    expect(() => parseRepositoryName(name)).toThrow(expect.objectContaining({ code: 'reference-invalid' }));
  });

  it('refuses a name made to keep the expression busy at once', () => {
    expect(isRepositoryName(`${'a-'.repeat(127)}!`)).toBe(false);
    expect(isRepositoryName(`${'a'.repeat(10_000_000)}!`)).toBe(false);
  });

  it('refuses a name of more than 255 characters', () => {
    expect(() => parseRepositoryName('a'.repeat(256))).toThrow(expect.objectContaining({ code: 'reference-invalid' }));
  });
});

describe('isTag', () => {
  it.each([
    ['1.0', true],
    ['_x', true],
    ['.x', false],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
    ['', false],
    ['-x', false],
    ['a b', false],
    ['a\n', false],
    ['a/b', false],
    ['a:b', false],
    ['é', false],
  ])('%s: %s', (tag, valid) => {
    expect(isTag(tag)).toBe(valid);
  });
});

describe('isReservedTag', () => {
  it.each([
    [`sha256-${hex}`, true],
    [`sha256-${hex}.sig`, true],
    [`sha256-${hex}x`, false],
    ['sha256-abc', false],
    [`sha256-${hex.toUpperCase()}`, false],
    [`sha512-${hex}${hex}`, true],
    [`sha512-${hex}${hex}.att`, true],
    [`sha512-${hex}`, true],
    [`sha512-${hex}a`, false],
    [`xsha256-${hex}`, false],
    ['v1', false],
  ])('%s: %s', (tag, reserved) => {
    expect(isReservedTag(tag)).toBe(reserved);
  });
});
