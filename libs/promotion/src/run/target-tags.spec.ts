import { describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { digestNamed, FakeRun, itemRun, oneTag, ourTurn, rootManifest, tagRun, targetRun } from './fake-run.spec-helper.js';
import type { UnsettledEffect } from './ports.js';
import { runItem } from './run-item.js';
import type { TargetRun } from './run.js';

const signal = new AbortController().signal;

describe('runItem and the tags of a target', () => {
  const latest = 'latest' as Tag;
  const both = (facts: Partial<TargetRun> = {}) => targetRun('prod', { tags: [tagRun(), tagRun({ tag: latest })], ...facts });

  it('writes them one after the other', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([both()]), fake.ports, signal);

    expect(fake.logOf('putTargetTag', 'settleTag')).toEqual([
      'putTargetTag item prod 1.0.0',
      'settleTag prod 1.0.0',
      'putTargetTag item prod latest',
      'settleTag prod latest',
    ]);
  });

  it('ends in the conflict of one of them, and still writes the others', async () => {
    const fake = new FakeRun();
    fake.tags.set(`prod:${oneTag}`, digestNamed('somebody else'));

    await runItem(itemRun([both()]), fake.ports, signal);

    expect(fake.endings.get('prod')).toMatchObject({ outcome: 'conflict', error: { code: 'tag-moved' } });
    expect(fake.tags.get('prod:latest')).toBe(rootManifest.digest);
  });

  it.each([
    ['all of them', [oneTag, latest], 'superseded'],
    ['one of them', [latest], 'copied'],
  ])('when a newer release overtook %s', async (_name, overtaken, outcome) => {
    const fake = new FakeRun({
      journal: { acquireTag: (_target, tag) => Promise.resolve(overtaken.includes(tag) ? { turn: 'superseded' } : ourTurn()) },
    });

    await runItem(itemRun([both()]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: outcome });
    expect(fake.logOf('putTargetTag')).toHaveLength(2 - overtaken.length);
  });

  it('reads back what became of an attempt that was cut off before a newer release overtook it', async () => {
    const newer = digestNamed('a newer release');
    const open: UnsettledEffect = { id: 'tag effect', kind: 'tag', tag: latest, digest: rootManifest.digest };
    const fake = new FakeRun({
      journal: {
        acquireTag: (_target, tag) => Promise.resolve(tag === latest ? { turn: 'superseded' } : ourTurn()),
        unsettledEffects: () => Promise.resolve([open]),
      },
    });
    fake.tags.set('prod:latest', newer);

    await runItem(itemRun([both({ state: 'tagging' })]), fake.ports, signal);

    expect(fake.endings.get('prod')).toMatchObject({ outcome: 'copied', readBack: [{ effectId: 'tag effect', found: newer }] });
  });

  it('reads nothing back when every tag was its turn', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([both()]), fake.ports, signal);

    expect(fake.logOf('unsettledEffects')).toEqual([]);
  });

  it('ends as its content did when it has none', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('prod', { tags: [] })]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: 'copied' });
  });
});
