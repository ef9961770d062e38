import { describe, expect, it } from '@jest/globals';
import { isReservedTag, isTag, parseArtifactReference, parseRepositoryName } from './reference.js';

const hex = 'a'.repeat(64);

describe('parseArtifactReference', () => {
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
    ['v1', false],
  ])('%s: %s', (tag, reserved) => {
    expect(isReservedTag(tag)).toBe(reserved);
  });
});
