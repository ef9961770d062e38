import { describe, expect, it } from '@jest/globals';
import { applyTemplate, parseTemplate } from './template.js';

describe('parseTemplate', () => {
  it.each([
    ['{repo}', 'has the unknown variable "{repo}"', '{repository}'],
    ['{nam}', 'has the unknown variable "{nam}"', '{name}'],
    ['{}', 'has the unknown variable "{}"', undefined],
    ['{tag}', 'has the unknown variable "{tag}"', undefined],
    ['a{name', 'has a "{" without its partner', undefined],
    ['a}', 'has a "}" without its partner', undefined],
    ['', 'has an empty segment', undefined],
    ['/{name}', 'has an empty segment', undefined],
    ['a//{name}', 'has an empty segment', undefined],
    ['{name}/{name}', 'uses {name} twice', undefined],
    ['{repository}/{name}', 'uses {repository} beside a part of it', undefined],
    ['x-{repository}', 'joins {repository} or {namespace} with text', undefined],
    ['{namespace}-{name}', 'joins {repository} or {namespace} with text', undefined],
    ['Acme/{name}', 'makes no repository name: "Acme/x" is none', undefined],
    ['{name}-', 'makes no repository name: "x-" is none', undefined],
    ['a'.repeat(256), 'is longer than 255 characters', undefined],
  ])('refuses %s', (template, problem, suggestion) => {
    const parsed = parseTemplate(template);

    expect(parsed).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
    expect('suggestion' in parsed ? parsed.suggestion : undefined).toBe(suggestion);
  });
});

describe('applyTemplate', () => {
  it.each([
    ['{repository}', 'team/group/app', 'team/group/app'],
    ['{name}', 'team/group/app', 'app'],
    ['{namespace}', 'team/group/app', 'team/group'],
    ['{namespace}/{name}', 'app', 'app'],
    ['x/{namespace}/y', 'app', 'x/y'],
    ['{registry}/{repository}', 'team/app', 'snapshots/team/app'],
    ['{registry}-{name}', 'team/app', 'snapshots-app'],
    ['mirror/{name}-{registry}', 'app', 'mirror/app-snapshots'],
    ['{name}/{namespace}', 'a/b/c', 'c/a/b'],
    ['fixed', 'a/b/c', 'fixed'],
    ['{namespace}', 'app', ''],
  ])('makes of %s and %s: %s', (template, repository, expected) => {
    const parsed = parseTemplate(template);

    expect(parsed.ok && applyTemplate(parsed.segments, { registry: 'snapshots', repository })).toBe(expected);
  });
});
