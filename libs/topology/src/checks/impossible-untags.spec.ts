import { describe, expect, it } from '@jest/globals';
import { unknownCapabilities } from '@waybill/oci-model';
import { topologyWith } from '../questions.spec-helper.js';
import { impossibleUntagRules } from '../retention/can-untag.js';
import { expectFound, foundIn, ruleWith } from '../retention/planted-policy.spec-helper.js';
import { withProbedCapabilities } from '../with-probed-capabilities.js';

function registryWith(capabilities: string): string {
  return `x: { role: staging, location: eu, local: true, capabilities: { ${capabilities} } }`;
}

const neither = 'tagDelete: false, manifestDelete: false';

describe('impossibleUntags', () => {
  it('refuses to untag where neither tags nor manifests can be deleted', () => {
    const retention = ruleWith('action: ▶untag', { registry: 'x' });

    expectFound({
      name: 'untag',
      registries: registryWith(neither),
      retention,
      code: 'untag-impossible',
      says: 'can neither remove a tag nor delete a manifest',
      at: '/retention/1/rules/0/action',
    });
  });

  it.each(['tagDelete: false', 'manifestDelete: false', 'tagDelete: true, manifestDelete: false', ''])(
    'takes it where { %s } is declared',
    (capabilities) => {
      expect(foundIn({ registries: registryWith(capabilities), retention: ruleWith('action: untag', { registry: 'x' }) })).toEqual([]);
    },
  );

  it('lets other rules of such a registry be', () => {
    expect(foundIn({ registries: registryWith(neither), retention: ruleWith('action: keep', { registry: 'x' }) })).toEqual([]);
  });
});

describe('impossibleUntagRules', () => {
  const topology = topologyWith({ retention: ruleWith('action: untag') });

  it('names the rules once a check found that their registry cannot', () => {
    const probed = new Map([['tests', { ...unknownCapabilities, tagDelete: false, manifestDelete: false }]]);

    expect(impossibleUntagRules(withProbedCapabilities(topology, probed))).toEqual([{ policy: 'p', rule: 'r', registry: 'tests' }]);
  });

  it('names none while nothing is known', () => {
    expect(impossibleUntagRules(topology)).toEqual([]);
    expect(impossibleUntagRules(withProbedCapabilities(topology, new Map()))).toEqual([]);
  });
});
