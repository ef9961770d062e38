import { describe, expect, it } from '@jest/globals';
import { expectFound, foundIn, policyWith, ruleWith } from '../retention/planted-policy.spec-helper.js';
import { type Role, roles } from '../roles.js';

const code = 'retention-role';

function registryOf(role: Role, keys: string): string {
  const of = role === 'replica' ? 'of: prod, ' : '';
  return `x: { role: ${role}, location: eu, local: true, ${of}${keys} }`;
}

describe('retentionRoles', () => {
  it.each(['mirror', 'hub'])('refuses a policy of %s', (registry) => {
    const retention = policyWith('rules: [{ name: r, action: keep }]', { registry: `▶${registry}` });

    expectFound({ name: registry, retention, code, says: `Waybill deletes nothing from "${registry}"`, at: '/retention/1/registry' });
  });

  it.each<[Role, string]>([
    ['archive', 'there is no usual retention of role "archive"'],
    ['cache', 'Waybill deletes nothing from "x": it has the role "cache"'],
    ['upstream', 'Waybill deletes nothing from "x": it has the role "upstream"'],
  ])('refuses the usual retention of role %s', (role, says) => {
    const registries = registryOf(role, '▶retention: default').replace('local: true', 'url: "https://x.example"');

    expectFound({ name: role, registries, code, says, at: '/registries/x/retention' });
  });

  it.each(roles.filter((role) => role !== 'sandbox'))('refuses to wipe a registry of role %s', (role) => {
    const registries = registryOf(role, '▶wipe: { schedule: "0 3 * * *" }');

    expectFound({ name: role, registries, code, says: `only a sandbox is wiped; "x" has the role "${role}"`, at: '/registries/x/wipe' });
  });

  it('refuses to archive what must not leave a sandbox', () => {
    const retention = ruleWith('action: ▶archive', { registry: 'box' });

    expectFound({ name: 'box', retention, code, says: 'nothing leaves a sandbox', at: '/retention/1/rules/0/action' });
  });

  it.each<Role>(['sandbox', 'ci-tests', 'ci-snapshots', 'staging', 'prod'])('takes the usual retention of role %s', (role) => {
    expect(foundIn({ registries: registryOf(role, 'retention: default') })).toEqual([]);
  });

  it.each(['box', 'tests', 'snapshots', 'stage', 'prod', 'archive'])('takes written rules for %s', (registry) => {
    expect(foundIn({ retention: ruleWith('action: delete, olderThan: { of: pushed, duration: 1d }', { registry }) })).toEqual([]);
  });
});
