import { describe, expect, it } from '@jest/globals';
import { type RegistryCapabilities, unknownCapabilities } from '@waybill/oci-model';
import { parseTopology } from '../parse-topology.js';
import { topologyText } from '../planted.spec-helper.js';
import { expectFound, foundIn, ruleWith } from '../retention/planted-policy.spec-helper.js';

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

  const text = topologyText({ retention: ruleWith('action: untag') });
  const probed = (capabilities: Partial<RegistryCapabilities>) => new Map([['tests', { ...unknownCapabilities, ...capabilities }]]);

  it('refuses it where a check found that neither can be deleted', () => {
    const { diagnostics } = parseTopology(text, { file: 'x', probed: probed({ tagDelete: false, manifestDelete: false }) });

    expect(diagnostics).toMatchObject([{ code: 'untag-impossible', path: '/retention/1/rules/0/action' }]);
  });

  it.each<[string, string, Partial<RegistryCapabilities>]>([
    ['not known', text, {}],
    [
      'declared against what was found',
      text.replace('tests: {', 'tests: { capabilities: { tagDelete: true },'),
      { tagDelete: false, manifestDelete: false },
    ],
  ])('takes it where its way is %s', (_name, file, found) => {
    expect(parseTopology(file, { file: 'x', probed: probed(found) }).diagnostics).toEqual([]);
  });
});
