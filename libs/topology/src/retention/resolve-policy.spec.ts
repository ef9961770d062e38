import { describe, expect, it } from '@jest/globals';
import { crawlIntervals } from '../crawl-intervals.js';
import { registryNamed } from '../lookup.js';
import { topologyWith } from '../questions.spec-helper.js';
import { policyWith, ruleWith } from './planted-policy.spec-helper.js';
import type { RetentionPolicy } from './policy.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** The policy named `p`. */
function resolved(retention: string): RetentionPolicy {
  const policy = topologyWith({ retention }).retention.find(({ name }) => name === 'p');
  if (policy === undefined) throw new Error('there is no policy "p"');
  return policy;
}

function ofRegistry(role: string, keys: string): readonly RetentionPolicy[] {
  const registries = `x: { role: ${role}, location: eu, local: true, ${keys} }`;
  return topologyWith({ registries, replications: '- { from: prod, to: [prod-us], repositories: ["a"] }' }).retention.slice(1);
}

describe('a resolved policy', () => {
  it('has every default filled in', () => {
    expect(resolved(policyWith(''))).toEqual({
      name: 'p',
      registry: 'tests',
      origin: 'declared',
      mode: 'dryRun',
      schedule: { cron: '0 3 * * *', timezone: 'UTC' },
      repositories: { include: ['**'], exclude: [] },
      rules: [],
      protect: { immutable: [], minKeepPerRepository: 3, promotedWithinMs: 90 * day, rollbackDepth: 3 },
      limits: { maxDeletePercent: 20, maxDeleteCount: 500, maxDeleteBytes: 500 * 1024 ** 3 },
      graceMs: day,
      softDelete: { ttlMs: 7 * day },
    });
  });

  it('has what was written instead, in milliseconds and bytes', () => {
    const keys = [
      'mode: disabled',
      'untagged: { olderThan: 12h }',
      'protect: { immutable: ["v*"], minKeepPerRepository: 0, promotedWithin: 0s, rollbackDepth: 1 }',
      'limits: { maxDeletePercent: 5%, maxDeleteCount: 7, maxDeleteBytes: 2TB }',
      'grace: { markFor: 2h }',
      'softDelete: { ttl: 30d }',
    ];
    const schedule = '{ cron: " 0  3 * * * ", timezone: Europe/Berlin, window: 90m }';
    const repositories = '{ include: [a], exclude: [b, c] }';

    expect(resolved(policyWith(keys.join(', '), { schedule, repositories }))).toEqual({
      name: 'p',
      registry: 'tests',
      origin: 'declared',
      mode: 'disabled',
      schedule: { cron: '0 3 * * *', timezone: 'Europe/Berlin', windowMs: 90 * minute },
      repositories: { include: ['a'], exclude: ['b', 'c'] },
      rules: [],
      untagged: { olderThanMs: 12 * hour },
      protect: { immutable: ['v*'], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 1 },
      limits: { maxDeletePercent: 5, maxDeleteCount: 7, maxDeleteBytes: 2_000_000_000_000 },
      graceMs: 2 * hour,
      softDelete: { ttlMs: 30 * day },
    });
  });

  it('has no trash where it is off', () => {
    expect(resolved(policyWith('softDelete: off'))).not.toHaveProperty('softDelete');
  });

  it.each([
    ['action: keep', { action: 'keep', match: {}, criteria: 'any' }],
    ['action: keep, criteria: all', { action: 'keep', match: {}, criteria: 'all' }],
    ['action: delete', { action: 'delete', match: {}, criteria: 'all' }],
    ['action: delete, criteria: any', { action: 'delete', match: {}, criteria: 'any' }],
    ['action: untag, match: { tagState: any }', { action: 'untag', match: {}, criteria: 'all' }],
    ['action: delete, match: { tagState: untagged }', { action: 'delete', match: { tagState: 'untagged' }, criteria: 'all' }],
    ['action: archive', { action: 'archive', to: 'archive', match: {}, criteria: 'all' }],
    [
      'action: keep, mostRecent: { by: semver, count: 2, groupBy: "a" }, within: { of: tagged, duration: 2d }',
      {
        action: 'keep',
        match: {},
        criteria: 'any',
        mostRecent: { by: 'semver', count: 2, groupBy: 'a' },
        within: { of: 'tagged', durationMs: 2 * day },
      },
    ],
    [
      'action: delete, olderThan: { of: lastActive, duration: 3h }, absentFrom: { registry: prod, duration: 1d }',
      {
        action: 'delete',
        match: {},
        criteria: 'all',
        olderThan: { of: 'lastActive', durationMs: 3 * hour },
        absentFrom: { registry: 'prod', durationMs: day },
      },
    ],
    [
      'action: delete, match: { repositories: [a], tags: { glob: ["b*"] }, platforms: [linux/amd64], annotations: { c: d }, signed: false, promotedTo: any, source: hub }',
      {
        action: 'delete',
        match: {
          repositories: ['a'],
          tags: { glob: ['b*'] },
          platforms: ['linux/amd64'],
          annotations: { c: 'd' },
          signed: false,
          promotedTo: 'any',
          source: 'hub',
        },
        criteria: 'all',
      },
    ],
  ])('has for the rule { %s } just what it means', (keys, rule) => {
    expect(resolved(ruleWith(keys)).rules).toEqual([{ name: 'r', ...rule }]);
  });
});

describe('the policies that registries ask for', () => {
  it('are none without the word', () => {
    expect(ofRegistry('sandbox', '')).toEqual([]);
  });

  it.each([
    ['sandbox', ['delete idle 30'], 7, 0],
    ['ci-tests', ['delete idle 14'], 7, 3],
    ['ci-snapshots', ['keep recent 10', 'delete idle 90'], 14, 3],
    ['staging', ['keep recent 10', 'delete idle 180'], 30, 3],
    ['prod', [], 90, 3],
  ])('follow the role %s', (role, rules, untaggedDays, minKeepPerRepository) => {
    const [policy] = ofRegistry(role, 'retention: default');

    expect(policy).toMatchObject({
      name: 'x-default',
      registry: 'x',
      origin: 'role-default',
      mode: 'dryRun',
      schedule: { cron: '0 3 * * *', timezone: 'UTC' },
      repositories: { include: ['**'], exclude: [] },
      untagged: { olderThanMs: untaggedDays * day },
      protect: { minKeepPerRepository, promotedWithinMs: 90 * day, rollbackDepth: 3 },
      limits: { maxDeletePercent: 20 },
      graceMs: day,
      softDelete: { ttlMs: 7 * day },
    });
    expect(policy?.rules.map(brief)).toEqual(rules);
  });

  it('let a replica give up only what its prod gave up', () => {
    const [policy] = ofRegistry('replica', 'of: prod, retention: default');

    expect(policy?.rules).toEqual([
      { name: 'gone', action: 'delete', match: {}, criteria: 'all', absentFrom: { registry: 'prod', durationMs: 30 * day } },
    ]);
    expect(policy).not.toHaveProperty('untagged');
  });

  it('take another schedule and mode', () => {
    const [policy] = ofRegistry('ci-tests', 'retention: { rules: default, mode: disabled, schedule: "0 5 * * *" }');

    expect(policy).toMatchObject({ mode: 'disabled', schedule: { cron: '0 5 * * *', timezone: 'UTC' }, rules: [{ name: 'idle' }] });
  });

  it('wipe a sandbox but for the tags to keep', () => {
    const [policy, ...others] = ofRegistry('sandbox', 'wipe: { schedule: "0 4 * * sun", keep: ["base-*"] }');

    expect(others).toEqual([]);
    expect(policy).toEqual({
      name: 'x-wipe',
      registry: 'x',
      origin: 'wipe',
      mode: 'dryRun',
      schedule: { cron: '0 4 * * sun', timezone: 'UTC' },
      repositories: { include: ['**'], exclude: [] },
      rules: [
        { name: 'keep', action: 'keep', match: { tags: { glob: ['base-*'] } }, criteria: 'any' },
        { name: 'wipe', action: 'delete', match: {}, criteria: 'all' },
      ],
      protect: { immutable: [], minKeepPerRepository: 0, promotedWithinMs: 0, rollbackDepth: 0 },
      limits: { maxDeletePercent: 100, maxDeleteCount: Number.MAX_SAFE_INTEGER, maxDeleteBytes: Number.MAX_SAFE_INTEGER },
      graceMs: 0,
      softDelete: { ttlMs: 7 * day },
    });
  });

  it('wipe all of it without tags to keep', () => {
    expect(ofRegistry('sandbox', 'wipe: { schedule: "0 4 * * sun" }').flatMap(({ rules }) => rules.map(({ name }) => name))).toEqual([
      'wipe',
    ]);
  });

  it('are both there when both are asked for, behind those of the file', () => {
    const registries = 'x: { role: sandbox, location: eu, local: true, retention: default, wipe: { schedule: "0 4 * * *" } }';

    expect(topologyWith({ registries, retention: policyWith('') }).retention.map(({ name }) => name)).toEqual([
      'sound',
      'p',
      'x-default',
      'x-wipe',
    ]);
  });
});

function brief(rule: RetentionPolicy['rules'][number]): string {
  const amount = rule.action === 'keep' ? rule.mostRecent?.count : (rule.olderThan?.durationMs ?? 0) / day;
  return `${rule.action} ${rule.name} ${amount}`;
}

describe('crawlIntervals', () => {
  it.each([
    ['', { quickMs: 15 * minute, fullMs: day }],
    ['crawl: { quick: 1m }', { quickMs: minute, fullMs: day }],
    ['crawl: { quick: 5m, full: 7d }', { quickMs: 5 * minute, fullMs: 7 * day }],
  ])('of { %s } are %j', (crawl, expected) => {
    const registries = `x: { role: staging, location: eu, local: true, ${crawl} }`;

    expect(crawlIntervals(registryNamed(topologyWith({ registries }), 'x'))).toEqual(expected);
  });
});
