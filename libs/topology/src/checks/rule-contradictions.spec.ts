import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, ruleWith } from '../retention/planted-policy.spec-helper.js';

const r = '/retention/1/rules/0';

describe('ruleContradictions', () => {
  it.each([
    [
      'a count on a removal',
      'action: delete, ▶mostRecent: { by: pushed, count: 1 }',
      '"mostRecent" says what is kept, and the rule\'s action is "delete"',
      '/mostRecent',
    ],
    ['youth on a removal', 'action: untag, ▶within: { of: pushed, duration: 1d }', '"within" says what is kept', '/within'],
    ['age on a keep', 'action: keep, ▶olderThan: { of: pushed, duration: 1d }', '"olderThan" says what is removed', '/olderThan'],
    [
      'absence on a keep',
      'action: keep, ▶absentFrom: { registry: prod, duration: 1d }',
      '"absentFrom" says what is removed',
      '/absentFrom',
    ],
    ['an archive to keep in', 'action: keep, ▶to: archive', '"to" belongs to rules that archive', '/to'],
    ['an archive to delete in', 'action: delete, ▶to: archive', '"to" belongs to rules that archive', '/to'],
    [
      'no way to match tags',
      'action: delete, match: { ▶tags: {} }',
      'in exactly one way, not 0: by "glob", "regex" or "semver"',
      '/match/tags',
    ],
    ['two ways to match tags', 'action: delete, match: { ▶tags: { glob: ["a"], regex: a } }', 'in exactly one way, not 2', '/match/tags'],
    [
      'tags of the untagged',
      'action: delete, match: { tagState: untagged, ▶tags: { glob: ["a"] } }',
      'and "tags" is about tags',
      '/match/tags',
    ],
    ['untagging the untagged', '▶action: untag, match: { tagState: untagged }', 'and "action" is about tags', '/action'],
    [
      'versions of the untagged',
      'action: keep, match: { tagState: untagged }, mostRecent: { ▶by: semver, count: 1 }',
      'and "by" is about tags',
      '/mostRecent/by',
    ],
    [
      'groups of the untagged',
      'action: keep, match: { tagState: untagged }, mostRecent: { by: pushed, count: 1, ▶groupBy: "a" }',
      'and "groupBy" is about tags',
      '/mostRecent/groupBy',
    ],
    [
      'tagging of the untagged',
      'action: delete, match: { tagState: untagged }, olderThan: { ▶of: tagged, duration: 1d }',
      'and "of" is about tags',
      '/olderThan/of',
    ],
    [
      'youth of tags of the untagged',
      'action: keep, match: { tagState: untagged }, within: { ▶of: tagged, duration: 1d }',
      'and "of" is about tags',
      '/within/of',
    ],
    [
      'absence from itself',
      'action: delete, absentFrom: { registry: ▶tests, duration: 1d }',
      'nothing in "tests" is absent from "tests" itself',
      '/absentFrom/registry',
    ],
  ])('refuses %s', (name, keys, says, at) => {
    expectFound({ name, retention: ruleWith(keys), code: 'rule-contradicts', says, at: `${r}${at}` });
  });

  it('says nothing of a rule that cannot be read', () => {
    const retention = ruleWith('action: kep, mostRecent: { by: pushed, count: 1 }, olderThan: { of: pushed, duration: 1d }');

    expect(foundIn({ retention })).toEqual([expect.stringContaining('value-invalid')]);
  });
});
