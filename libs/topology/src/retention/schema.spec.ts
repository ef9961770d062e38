import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, type Mistake, policyWith, ruleWith } from './planted-policy.spec-helper.js';

const p = '/retention/1';
const r = `${p}/rules/0`;

type Row = readonly [name: string, retention: string, code: string, says: string, at: string, suggests?: string];

function mistakes(rows: readonly Row[]): Mistake[] {
  return rows.map(([name, retention, code, says, at, suggests]) => ({
    name,
    retention,
    code,
    says,
    at,
    ...(suggests === undefined ? {} : { suggests }),
  }));
}

const ofPolicies: readonly Row[] = [
  ['an unknown key', policyWith('▶grase: {}'), 'key-unknown', 'unknown key "grase"', `${p}/grase`, 'grace'],
  [
    'a key of another product',
    policyWith('protect: { ▶minKeepPerRepo: 3 }'),
    'key-unknown',
    'unknown key',
    `${p}/protect/minKeepPerRepo`,
    'minKeepPerRepository',
  ],
  ['an unknown mode', policyWith('mode: ▶dryrun'), 'value-invalid', '"mode" must be one of', `${p}/mode`, 'dryRun'],
  ['no registry', '- ▶{ name: p, schedule: "0 3 * * *", repositories: ["**"] }', 'key-missing', 'key "registry" is missing', p],
  ['no schedule', '- ▶{ name: p, registry: tests, repositories: ["**"] }', 'key-missing', 'key "schedule" is missing', p],
  ['no repositories', '- ▶{ name: p, registry: tests, schedule: "0 3 * * *" }', 'key-missing', 'key "repositories" is missing', p],
  [
    'a name that is none',
    '- { name: ▶My Policy, registry: tests, schedule: "0 3 * * *", repositories: ["**"] }',
    'name-invalid',
    '"My Policy" is not a name',
    `${p}/name`,
  ],
  [
    'a negative count',
    policyWith('limits: { maxDeleteCount: ▶-1 }'),
    'value-invalid',
    '"maxDeleteCount" must be at least 0',
    `${p}/limits/maxDeleteCount`,
  ],
  [
    'a fractional count',
    policyWith('protect: { rollbackDepth: ▶1.5 }'),
    'value-invalid',
    '"rollbackDepth" must be a whole number',
    `${p}/protect/rollbackDepth`,
  ],
  [
    'a negative minimum',
    policyWith('protect: { minKeepPerRepository: ▶-3 }'),
    'value-invalid',
    'must be at least 0',
    `${p}/protect/minKeepPerRepository`,
  ],
  [
    'more than all',
    policyWith('limits: { maxDeletePercent: ▶101 }'),
    'value-invalid',
    '"maxDeletePercent" must be at most 100',
    `${p}/limits/maxDeletePercent`,
  ],
  [
    'a percentage that is none',
    policyWith('limits: { maxDeletePercent: ▶many }'),
    'value-invalid',
    'is no percentage such as 20%',
    `${p}/limits/maxDeletePercent`,
  ],
  [
    'a percentage above all',
    policyWith('limits: { maxDeletePercent: ▶200% }'),
    'value-invalid',
    'is no percentage',
    `${p}/limits/maxDeletePercent`,
  ],
  [
    'a size without a known unit',
    policyWith('limits: { maxDeleteBytes: ▶500Gi }'),
    'value-invalid',
    'is no size such as',
    `${p}/limits/maxDeleteBytes`,
  ],
  [
    'a size that is a number',
    policyWith('limits: { maxDeleteBytes: ▶500 }'),
    'value-invalid',
    'must be a text, not a number',
    `${p}/limits/maxDeleteBytes`,
  ],
  [
    'a duration without a unit',
    policyWith('untagged: { olderThan: ▶7 }'),
    'value-invalid',
    'must be a text, not a number',
    `${p}/untagged/olderThan`,
  ],
  [
    'a duration that is none',
    policyWith('untagged: { olderThan: ▶a week }'),
    'value-invalid',
    'is no duration such as',
    `${p}/untagged/olderThan`,
  ],
  [
    'a negative duration',
    policyWith('untagged: { olderThan: ▶-7d }'),
    'value-invalid',
    'is no duration such as',
    `${p}/untagged/olderThan`,
  ],
  ['no time at all', policyWith('untagged: { olderThan: ▶0d }'), 'value-invalid', 'must be longer than 0', `${p}/untagged/olderThan`],
  [
    'more than a life',
    policyWith('untagged: { olderThan: ▶99999d }'),
    'value-invalid',
    'must be at most 36500d',
    `${p}/untagged/olderThan`,
  ],
  ['a trash for no time', policyWith('softDelete: { ttl: ▶0s }'), 'value-invalid', 'must be longer than 0', `${p}/softDelete/ttl`],
  ['a trash that is none', policyWith('softDelete: ▶of'), 'value-invalid', '"softDelete" must be off, not "of"', `${p}/softDelete`, 'off'],
  [
    'a glob over tags',
    policyWith('protect: { immutable: [▶"{v,w}*"] }'),
    'glob-invalid',
    'write one pattern for each',
    `${p}/protect/immutable/0`,
  ],
  [
    'a glob over repositories',
    policyWith('', { repositories: '{ include: [▶a//b] }' }),
    'glob-invalid',
    'has an empty segment',
    `${p}/repositories/include/0`,
  ],
  [
    'an exclusion alone',
    '- { name: p, registry: tests, schedule: "0 3 * * *", ▶repositories: { exclude: [a] } }',
    'key-missing',
    'key "include" is missing',
    `${p}/repositories`,
  ],
  [
    'an unknown key of a selection',
    policyWith('', { repositories: '{ include: [a], ▶exlude: [b] }' }),
    'key-unknown',
    'unknown key',
    `${p}/repositories/exlude`,
    'exclude',
  ],
];

const ofSchedules: readonly Row[] = [
  ['too few fields', policyWith('', { schedule: '▶"0 3 * *"' }), 'schedule-invalid', 'must have five fields', `${p}/schedule`],
  ['seconds', policyWith('', { schedule: '▶"0 0 3 * * *"' }), 'schedule-invalid', 'must have five fields', `${p}/schedule`],
  ['a day that never is', policyWith('', { schedule: '▶"0 3 31 2 *"' }), 'schedule-invalid', 'is never due', `${p}/schedule`],
  [
    'the same in a mapping',
    policyWith('', { schedule: '{ cron: ▶"0 3 30 2 *" }' }),
    'schedule-invalid',
    'is never due',
    `${p}/schedule/cron`,
  ],
  [
    'an hour that never is',
    policyWith('', { schedule: '{ cron: ▶"0 25 * * *" }' }),
    'schedule-invalid',
    'has the hour "25", which is none',
    `${p}/schedule/cron`,
  ],
  [
    'a mistyped time zone',
    policyWith('', { schedule: '{ cron: "0 3 * * *", timezone: ▶Europe/Berln }' }),
    'timezone-unknown',
    'is no time zone',
    `${p}/schedule/timezone`,
    'Europe/Berlin',
  ],
  [
    'an offset',
    policyWith('', { schedule: '{ cron: "0 3 * * *", timezone: ▶"+02:00" }' }),
    'timezone-unknown',
    'is no time zone',
    `${p}/schedule/timezone`,
  ],
  [
    'no window',
    policyWith('', { schedule: '{ cron: "0 3 * * *", window: ▶0h }' }),
    'value-invalid',
    'must be longer than 0',
    `${p}/schedule/window`,
  ],
  [
    'an unknown key',
    policyWith('', { schedule: '{ cron: "0 3 * * *", ▶timeZone: UTC }' }),
    'key-unknown',
    'unknown key',
    `${p}/schedule/timeZone`,
    'timezone',
  ],
];

const ofRules: readonly Row[] = [
  ['an unknown action', ruleWith('action: ▶remove'), 'value-invalid', '"action" must be one of', `${r}/action`],
  ['a mistyped action', ruleWith('action: ▶delet'), 'value-invalid', '"action" must be one of', `${r}/action`, 'delete'],
  ['no action', policyWith('rules: [▶{ name: r }]'), 'key-missing', 'key "action" is missing', r],
  ['no name', policyWith('rules: [▶{ action: keep }]'), 'key-missing', 'key "name" is missing', r],
  [
    'an unknown criterion',
    ruleWith('action: delete, ▶olderthan: { of: pushed, duration: 1d }'),
    'key-unknown',
    'unknown key',
    `${r}/olderthan`,
    'olderThan',
  ],
  [
    'an unknown time',
    ruleWith('action: delete, olderThan: { of: ▶push, duration: 1d }'),
    'value-invalid',
    '"of" must be one of',
    `${r}/olderThan/of`,
    'pushed',
  ],
  [
    'a duration of nothing',
    ruleWith('action: delete, olderThan: { of: pushed, duration: ▶0d }'),
    'value-invalid',
    'must be longer than 0',
    `${r}/olderThan/duration`,
  ],
  [
    'a count of nothing',
    ruleWith('action: keep, mostRecent: { by: pushed, count: ▶0 }'),
    'value-invalid',
    '"count" must be at least 1',
    `${r}/mostRecent/count`,
  ],
  [
    'a negative count',
    ruleWith('action: keep, mostRecent: { by: pushed, count: ▶-10 }'),
    'value-invalid',
    '"count" must be at least 1',
    `${r}/mostRecent/count`,
  ],
  [
    'a fractional count',
    ruleWith('action: keep, mostRecent: { by: pushed, count: ▶2.5 }'),
    'value-invalid',
    '"count" must be a whole number',
    `${r}/mostRecent/count`,
  ],
  [
    'a group that is no RE2',
    ruleWith('action: keep, mostRecent: { by: pushed, count: 1, groupBy: ▶"(a)\\\\1" }'),
    'tags-invalid',
    '"groupBy" is no RE2 expression',
    `${r}/mostRecent/groupBy`,
  ],
  [
    'a regex that looks around',
    ruleWith('action: delete, match: { tags: { regex: ▶"(?=x)x" } }'),
    'tags-invalid',
    '"regex" is no RE2 expression',
    `${r}/match/tags/regex`,
  ],
  [
    'a regex that does not close',
    ruleWith('action: delete, match: { tags: { regex: ▶"pr-(" } }'),
    'tags-invalid',
    'is no RE2 expression',
    `${r}/match/tags/regex`,
  ],
  [
    'a range that is none',
    ruleWith('action: keep, match: { tags: { semver: ▶">=one" } }'),
    'semver-invalid',
    'is no range such as',
    `${r}/match/tags/semver`,
  ],
  ['an empty range', ruleWith('action: keep, match: { tags: { semver: ▶" " } }'), 'semver-invalid', 'is empty', `${r}/match/tags/semver`],
  [
    'a huge range',
    ruleWith(`action: keep, match: { tags: { semver: ▶"${'1 || '.repeat(60)}1" } }`),
    'semver-invalid',
    'is longer than 255',
    `${r}/match/tags/semver`,
  ],
  [
    'a media type that is none',
    ruleWith('action: delete, match: { mediaTypes: [▶image] }'),
    'value-invalid',
    'is no media type',
    `${r}/match/mediaTypes/0`,
  ],
  [
    'a platform that is none',
    ruleWith('action: delete, match: { platforms: [▶linux] }'),
    'value-invalid',
    'is no platform',
    `${r}/match/platforms/0`,
  ],
  [
    'an annotation without a value',
    ruleWith('action: delete, match: { annotations: { team: ▶"" } }'),
    'glob-invalid',
    'is empty',
    `${r}/match/annotations/team`,
  ],
  [
    'an annotation whose key no database keeps',
    ruleWith('action: delete, match: { annotations: { ▶"a\\0": x } }'),
    'value-invalid',
    'has a control character',
    `${r}/match/annotations/a\0`,
  ],
  [
    'an annotation without a key',
    ruleWith('action: delete, match: { annotations: { ▶"": x } }'),
    'value-invalid',
    'is no key of an annotation',
    `${r}/match/annotations/`,
  ],
  [
    'a word for true',
    ruleWith('action: keep, match: { signed: ▶yes }'),
    'value-invalid',
    '"signed" must be true or false, not a text',
    `${r}/match/signed`,
  ],
  [
    'a key that is planned',
    ruleWith('action: keep, match: { ▶severityAtMost: high }'),
    'not-implemented',
    'is not implemented yet',
    `${r}/match/severityAtMost`,
  ],
];

describe('the schema of retention policies', () => {
  it.each(mistakes(ofPolicies))('refuses of a policy: $name', (mistake) => {
    expectFound(mistake);
  });

  it.each(mistakes(ofSchedules))('refuses of a schedule: $name', (mistake) => {
    expectFound(mistake);
  });

  it.each(mistakes(ofRules))('refuses of a rule: $name', (mistake) => {
    expectFound(mistake);
  });

  it.each<readonly [string, string, string, string, string?]>([
    ['role: sandbox, retention: ▶defaults', 'value-invalid', '"retention" must be default', '/registries/x/retention', 'default'],
    [
      'role: sandbox, retention: { rules: default, ▶shedule: "0 3 * * *" }',
      'key-unknown',
      'unknown key',
      '/registries/x/retention/shedule',
      'schedule',
    ],
    ['role: sandbox, ▶wipe: {}', 'key-missing', 'key "schedule" is missing', '/registries/x/wipe'],
    ['role: sandbox, wipe: { schedule: ▶"@daily" }', 'schedule-invalid', 'must have five fields', '/registries/x/wipe/schedule'],
    [
      'role: sandbox, wipe: { schedule: "0 3 * * *", keep: [▶"a/b"] }',
      'glob-invalid',
      'never occurs in a tag',
      '/registries/x/wipe/keep/0',
    ],
    ['role: prod, crawl: { quick: ▶1s }', 'value-invalid', '"quick" must be at least 1m', '/registries/x/crawl/quick'],
    ['role: prod, crawl: { full: ▶10m }', 'value-invalid', '"full" must be at least 1h', '/registries/x/crawl/full'],
  ])('refuses of a registry: %s', (keys, ...expected) => {
    const [code, says, at, suggests] = expected;
    const registries = `x: { ${keys}, location: eu, local: true }`;

    expectFound({ name: keys, registries, code, says, at, ...(suggests === undefined ? {} : { suggests }) });
  });

  it('takes every key and every way to write one', () => {
    const retention = [
      '- name: everything',
      '  registry: snapshots',
      '  mode: disabled',
      '  schedule: { cron: "*/30 1-5 1,15 jan-dec mon-fri", timezone: America/Argentina/Buenos_Aires, window: 20m }',
      '  repositories: { include: ["team-*/**"], exclude: ["team-base/**"] }',
      '  rules:',
      '    - name: keep-all',
      '      action: keep',
      '      criteria: all',
      '      match:',
      '        { repositories: [a], tags: { semver: "^1 || >=3.0.0-rc.1" }, tagState: tagged, mediaTypes: [application/vnd.oci.image.index.v1+json],',
      '          artifactTypes: [application/vnd.example.sbom], platforms: [linux/arm/v7], annotations: { org.example/team: "pay?-*" },',
      '          signed: true, promotedTo: prod, source: any }',
      '      mostRecent: { by: semver, count: 3, groupBy: "^v?([0-9]+)[.]" }',
      '      within: { of: created, duration: 30d }',
      '    - { name: away, action: archive, to: archive, match: { tags: { regex: "pr-[0-9]+" } }, olderThan: { of: tagged, duration: 36h } }',
      '    - { name: gone, action: delete, criteria: any, absentFrom: { registry: prod, duration: 2d }, olderThan: { of: pulled, duration: 1d } }',
      '    - { name: tags, action: untag, match: { tags: { glob: ["br-*"] } } }',
      '  untagged: { olderThan: 12h }',
      '  protect: { immutable: ["v*"], minKeepPerRepository: 0, promotedWithin: 0s, rollbackDepth: 0 }',
      '  limits: { maxDeletePercent: 2.5, maxDeleteCount: 0, maxDeleteBytes: 0B }',
      '  grace: { markFor: 1h }',
      '  softDelete: off',
    ].join('\n');

    expect(foundIn({ retention })).toEqual([]);
  });
});
