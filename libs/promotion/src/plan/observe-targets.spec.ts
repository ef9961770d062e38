import { describe, expect, it } from '@jest/globals';
import type { Digest, Tag } from '@waybill/oci-model';
import type { ExpectedDigest } from '../expected-digest.js';
import { observeTargets, type ObservedTarget, refuseImmutableConflicts, immutableConflicts } from './observe-targets.js';
import { contentError, FakeReader, imageOf, requested, topologyWith } from './plan-fixtures.spec-helper.js';
import { planItems, type PlannedItem } from './plan-items.js';

const image = imageOf('layer');
const other = imageOf('another layer');
const signal = new AbortController().signal;

function plannedItem(): PlannedItem {
  const [item] = planItems(topologyWith(), 'release', [requested('ci-snapshots/team-a/app:1.0.0', ['1.0.0', '1.0.1'])]);
  if (item === undefined) throw new Error('nothing was planned');
  return item;
}

function targetHolding(expected: ExpectedDigest, facts: Partial<ObservedTarget> = {}): { digest: Digest; targets: ObservedTarget[] } {
  const [target] = plannedItem().targets;
  if (target === undefined) throw new Error('nothing was planned');
  return { digest: image.digest, targets: [{ ...target, tags: [{ tag: '1.0.0' as Tag, expected }], ...facts }] };
}

describe('observeTargets', () => {
  it('pins what each tag holds at each target', async () => {
    const reader = new FakeReader({ 'prod/team-a/app': { tags: { '1.0.0': other } }, 'prod-us/team-a/app': {} });

    const observed = await observeTargets(reader, plannedItem(), signal);

    expect(observed.map(({ registry, requirement, tags }) => ({ registry, requirement, tags }))).toEqual([
      {
        registry: 'prod',
        requirement: 'required',
        tags: [
          { tag: '1.0.0', expected: { kind: 'digest', digest: other.digest } },
          { tag: '1.0.1', expected: { kind: 'absent' } },
        ],
      },
      {
        registry: 'prod-us',
        requirement: 'best-effort',
        tags: [
          { tag: '1.0.0', expected: { kind: 'absent' } },
          { tag: '1.0.1', expected: { kind: 'absent' } },
        ],
      },
    ]);
  });

  it('takes a target that cannot be asked as unknown, never as absent', async () => {
    const reader = new FakeReader({
      'prod/team-a/app': { fails: { resolveTag: contentError('unreachable') } },
      'prod-us/team-a/app': {},
    });

    const observed = await observeTargets(reader, plannedItem(), signal);

    expect(observed.map(({ tags }) => tags.map(({ expected }) => expected.kind))).toEqual([
      ['unknown', 'unknown'],
      ['absent', 'absent'],
    ]);
  });

  it('hides no defect', async () => {
    const defect = new TypeError('undefined is not a function');
    const reader = new FakeReader({ 'prod/team-a/app': { fails: { resolveTag: defect } } });

    await expect(observeTargets(reader, plannedItem(), signal)).rejects.toBe(defect);
  });
});

describe('refuseImmutableConflicts', () => {
  const holdsOther: ExpectedDigest = { kind: 'digest', digest: other.digest };

  it('refuses an immutable tag that holds another digest, and points at the item', () => {
    const items = [targetHolding({ kind: 'absent' }), targetHolding(holdsOther)];

    expect(() => refuseImmutableConflicts(topologyWith(), items)).toThrow(
      expect.objectContaining({
        code: 'tag-immutable',
        message: expect.stringContaining(`prod/team-a/app:1.0.0 is immutable and already holds ${other.digest}`),
        details: { pointer: '/items/1', registry: 'prod', tag: '1.0.0', holds: other.digest, wanted: image.digest },
      }),
    );
  });

  it.each<[string, { digest: Digest; targets: ObservedTarget[] }]>([
    ['holds the digest already', targetHolding({ kind: 'digest', digest: image.digest })],
    ['is absent', targetHolding({ kind: 'absent' })],
    ['is unknown', targetHolding({ kind: 'unknown' })],
    ['stands at a replica', targetHolding(holdsOther, { registry: 'prod-us', requirement: 'best-effort' })],
    ['may be moved', targetHolding(holdsOther, { registry: 'staging' })],
  ])('accepts a tag that %s', (_name, item) => {
    expect(() => refuseImmutableConflicts(topologyWith(), [item])).not.toThrow();
  });
});

describe('immutableConflicts', () => {
  it('names every conflict, those of replicas too', () => {
    const holdsOther: ExpectedDigest = { kind: 'digest', digest: other.digest };
    const atReplica = targetHolding(holdsOther, { registry: 'prod-us', requirement: 'best-effort' });
    const items = [targetHolding({ kind: 'unknown' }), targetHolding(holdsOther), atReplica];
    const facts = { repository: 'team-a/app', tag: '1.0.0', holds: other.digest, wanted: image.digest };

    expect(immutableConflicts(topologyWith(), items)).toEqual([
      { ...facts, item: 1, registry: 'prod', requirement: 'required' },
      { ...facts, item: 2, registry: 'prod-us', requirement: 'best-effort' },
    ]);
  });
});
