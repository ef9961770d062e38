import { describe, expect, it } from '@jest/globals';
import { parseTopology } from '../parse-topology.js';
import { topologyText } from '../planted.spec-helper.js';
import { expectFound, foundIn, ruleWith } from '../retention/planted-policy.spec-helper.js';

const code = 'archive-target';
const action = '/retention/1/rules/0/action';
const second = 'cellar: { role: archive, location: us, local: true }';

describe('archiveTargets', () => {
  it('refuses a target of another role', () => {
    const retention = ruleWith('action: archive, to: ▶prod');

    expectFound({ name: 'prod', retention, code, says: 'only a registry of role "archive" is archived to', at: '/retention/1/rules/0/to' });
  });

  it('refuses an archive that archives to itself', () => {
    const retention = ruleWith('action: archive, to: ▶archive', { registry: 'archive' });

    expectFound({ name: 'itself', retention, code, says: '"archive" cannot archive to itself', at: '/retention/1/rules/0/to' });
  });

  it.each([
    ['to nowhere else', '', 'there is nowhere to archive to'],
    ['to where it does not say', second, 'say to which, "to" "cellar"'],
  ])('refuses an archive that archives %s', (name, registries, says) => {
    const retention = ruleWith('action: ▶archive', { registry: 'archive' });

    expectFound({ name, ...(registries === '' ? {} : { registries }), retention, code, says, at: action });
  });

  it('wants to know which of two archives', () => {
    const retention = ruleWith('action: ▶archive');

    expectFound({ name: 'two', registries: second, retention, code, says: '"to" one of "archive" and "cellar"', at: action });
  });

  it('refuses to archive where there is no archive', () => {
    const text = topologyText({ retention: ruleWith('action: archive') }).replace(/^ {2}archive: .*\n/m, '');

    const { diagnostics } = parseTopology(text, { file: 'x' });

    expect(diagnostics.map(({ message, path }) => `${path} ${message}`)).toEqual([
      `${action} there is nowhere to archive to: no other registry has the role "archive"`,
    ]);
  });

  it.each([
    ['the only archive, unsaid', '', 'action: archive'],
    ['one of two', second, 'action: archive, to: cellar'],
  ])('takes %s', (_name, registries, keys) => {
    expect(foundIn({ ...(registries === '' ? {} : { registries }), retention: ruleWith(keys) })).toEqual([]);
  });
});
