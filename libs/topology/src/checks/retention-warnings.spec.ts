import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, policyWith } from '../retention/planted-policy.spec-helper.js';

const p = '/retention/1';
const severity = 'warning';

function rules(keep: string, removal: string): string {
  return policyWith(`rules: [{ name: k, action: keep${keep} }, ${removal}]`);
}

const removal = '▶{ name: r, action: delete, match: { tags: { glob: ["a*"] }, signed: false } }';

describe('idleRules', () => {
  it.each([
    ['matches the same', ', match: { signed: false, tags: { glob: ["a*"] } }'],
    ['matches more', ', match: { signed: false }'],
    ['matches everything', ''],
    ['matches everything in words', ', match: { tagState: any }'],
  ])('warns of a removal when a keep without criteria %s', (name, keep) => {
    const says = 'the rule can never act: all that it matches is kept by rule "k"';

    expectFound({ name, retention: rules(keep, removal), code: 'rule-idle', says, at: `${p}/rules/1`, severity });
  });

  it.each([
    ['matches less', ', match: { signed: false, tags: { glob: ["a*"] }, repositories: [x] }'],
    ['matches other', ', match: { signed: true }'],
    ['has a criterion', ', mostRecent: { by: pushed, count: 3 }'],
    ['has another criterion', ', within: { of: pushed, duration: 3d }'],
  ])('says nothing when the keep %s', (_name, keep) => {
    expect(foundIn({ retention: rules(keep, removal.replace('▶', '')) })).toEqual([]);
  });

  it.each([', match: all', ', match: { signed: maybe }'])(
    'says nothing of idleness when what the keep matches is not understood: %s',
    (keep) => {
      expect(foundIn({ retention: rules(keep, removal.replace('▶', '')) })).toEqual([expect.stringContaining('value-invalid')]);
    },
  );
});

describe('scheduleWindows', () => {
  it.each([
    ['an hour', '{ cron: "0 * * * *", window: ▶2h }', '2h'],
    ['a day', '{ cron: "0 3 * * *", window: ▶25h }', '25h'],
    ['the shorter of two', '{ cron: "0 1,3 * * *", window: ▶3h }', '3h'],
  ])('warns of a window longer than %s', (name, schedule, window) => {
    const says = `a window of "${window}" is longer than the time to the next run`;

    expectFound({ name, retention: policyWith('', { schedule }), code: 'window-too-long', says, at: `${p}/schedule/window`, severity });
  });

  it.each([
    ['wipe: { schedule: { cron: "0 3 * * *", window: ▶2d } }', '/registries/x/wipe/schedule/window'],
    ['retention: { rules: default, schedule: { cron: "0 3 * * *", window: ▶2d } }', '/registries/x/retention/schedule/window'],
  ])('warns of it in %s of a registry', (key, at) => {
    const registries = `x: { role: sandbox, location: eu, local: true, ${key} }`;

    expectFound({ name: key, registries, code: 'window-too-long', says: 'a window of "2d"', at, severity });
  });

  it('takes a window as long as the time between two runs', () => {
    expect(foundIn({ retention: policyWith('', { schedule: '{ cron: "0 3 * * *", window: 24h }' }) })).toEqual([]);
  });
});

describe('boldPolicies', () => {
  it.each(['0s', '59m'])('warns of a grace of %s', (grace) => {
    const retention = policyWith(`grace: { markFor: ▶${grace} }`);

    expectFound({ name: grace, retention, code: 'grace-short', says: `a grace of "${grace}"`, at: `${p}/grace/markFor`, severity });
  });

  it.each(['100', '100%'])('warns of a limit of %s where the policy acts', (percent) => {
    const retention = policyWith(`mode: enforce, limits: { maxDeletePercent: ▶${percent} }`);
    const at = `${p}/limits/maxDeletePercent`;

    expectFound({ name: percent, retention, code: 'limits-open', says: 'a limit of 100 % is none', at, severity });
  });

  it('takes an hour of grace, and any limit of what only plans', () => {
    expect(foundIn({ retention: policyWith('grace: { markFor: 1h }, limits: { maxDeletePercent: 100 }') })).toEqual([]);
  });
});
