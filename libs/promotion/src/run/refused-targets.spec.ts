import { describe, expect, it } from '@jest/globals';
import { ContentError } from '@waybill/oci-model';
import { digestNamed, FakeRun, itemRun, oneTag, rootManifest, targetRun } from './fake-run.spec-helper.js';
import type { ContentCopier, RunJournal, UnsettledEffect } from './ports.js';
import { runItem } from './run-item.js';
import type { ItemRun, TargetRun } from './run.js';

const signal = new AbortController().signal;
const manifest: UnsettledEffect = { id: 'manifest effect', kind: 'manifest', digest: rootManifest.digest };
const tag: UnsettledEffect = { id: 'tag effect', kind: 'tag', tag: oneTag, digest: rootManifest.digest };
const down = new ContentError('down', { code: 'unreachable', operation: 'test' });
const passing = new ContentError('down', { code: 'unreachable', operation: 'test', retryable: true });

describe('runItem at targets where no attempt may begin', () => {
  it.each<[string, Partial<TargetRun>, Partial<ItemRun>, string]>([
    ['whose registry was replaced', { isReplaced: true }, {}, 'registry-replaced'],
    ['whose registry was replaced while it was tagged', { isReplaced: true, state: 'tagging' }, {}, 'registry-replaced'],
    ['whose source was replaced', {}, { isSourceReplaced: true }, 'registry-replaced'],
    ['whose attempts broke off', { attempts: 3 }, {}, 'attempts-exhausted'],
  ])('ends one %s', async (_name, facts, item, code) => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('prod', facts)], item), fake.ports, signal);

    expect(fake.endings.get('prod')).toMatchObject({ outcome: 'failed', error: { code, retryable: false } });
    expect(fake.logOf('beginAttempt', 'copy', 'acquireTag', 'resolveSourceTag')).toEqual([]);
  });

  it.each<[string, Partial<TargetRun>, Partial<ItemRun>]>([
    ['has one attempt left', { attempts: 2 }, {}],
    ['waited for its prod, however often it was woken', { attempts: 3, isWaiting: true, state: 'tagging' }, {}],
    ['needs no more of a source that was replaced', { state: 'tagging' }, { isSourceReplaced: true }],
  ])('begins at one that %s', async (_name, facts, item) => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('prod', facts)], item), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: 'copied' });
  });

  it('brings the item to the others', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('gone', { isReplaced: true }), targetRun('good')]), fake.ports, signal);

    expect(fake.logOf('beginAttempt', 'copy')).toEqual(['beginAttempt good', 'copy item good']);
    expect(fake.outcomes()).toEqual({ gone: 'failed', good: 'copied' });
  });

  it('gives a replica that was woken as many attempts as any other', async () => {
    const fake = new FakeRun({
      copier: { resolveTargetTag: () => Promise.reject(passing) },
    });

    await runItem(itemRun([targetRun('replica', { state: 'tagging', isWaiting: true, attempts: 2 })]), fake.ports, signal);

    expect(fake.kept.get('replica')).toMatchObject({ delayMs: 200 });
  });
});

describe('runItem and the effects of a target that failed for good', () => {
  async function failing(copier: Partial<ContentCopier>, facts: Partial<TargetRun> = {}, journal: Partial<RunJournal> = {}) {
    const fake = new FakeRun({
      copier: { verify: () => Promise.reject(down), ...copier },
      journal: { unsettledEffects: () => Promise.resolve([manifest, tag]), ...journal },
    });
    const failure: unknown = await runItem(itemRun([targetRun('prod', facts)]), fake.ports, signal).catch((error: unknown) => error);
    return { fake, failure, readBack: fake.endings.get('prod')?.readBack };
  }

  it.each([
    ['there', true, rootManifest.digest],
    ['absent', false, undefined],
  ])('settles a manifest that is %s', async (_name, isThere, found) => {
    const { readBack } = await failing({ holdsManifest: () => Promise.resolve(isThere) });

    expect(readBack?.[0]).toEqual({ effectId: 'manifest effect', found });
  });

  it.each([
    ['ours', rootManifest.digest],
    ['another', digestNamed('somebody else')],
    ['nothing', undefined],
  ])('settles a tag that names %s', async (_name, found) => {
    const { readBack } = await failing({ resolveTargetTag: () => Promise.resolve(found) });

    expect(readBack?.[1]).toEqual({ effectId: 'tag effect', found });
  });

  it('leaves the rest open once the target does not answer', async () => {
    const { readBack, fake } = await failing({ resolveTargetTag: () => Promise.reject(down) });
    const none = await failing({ holdsManifest: () => Promise.reject(down) });

    expect(readBack).toEqual([{ effectId: 'manifest effect', found: rootManifest.digest }]);
    expect(fake.outcomes()).toEqual({ prod: 'failed' });
    expect(none.fake.endings.get('prod')).not.toHaveProperty('readBack');
    expect(none.fake.logOf('resolveTargetTag')).toEqual([]);
  });

  it('asks nothing of the registry that took the name', async () => {
    const { fake } = await failing({}, { isReplaced: true });

    expect(fake.logOf('unsettledEffects', 'holdsManifest', 'resolveTargetTag')).toEqual([]);
  });

  it('reads nothing of a target that is tried again', async () => {
    const { fake } = await failing({ verify: () => Promise.reject(passing) });

    expect(fake.kept.has('prod')).toBe(true);
    expect(fake.logOf('unsettledEffects')).toEqual([]);
  });

  it('ends nothing when the caller stops it meanwhile', async () => {
    const stop = new AbortController();
    const fake = new FakeRun({
      copier: {
        verify: () => Promise.reject(down),
        holdsManifest: () => {
          stop.abort(new Error('the worker shuts down'));
          return Promise.reject(down);
        },
      },
      journal: { unsettledEffects: () => Promise.resolve([manifest]) },
    });

    await expect(runItem(itemRun([targetRun('prod')]), fake.ports, stop.signal)).rejects.toThrow('the worker shuts down');

    expect(fake.logOf('finish')).toEqual([]);
  });

  it('rejects when the journal does not know them', async () => {
    const { failure, fake } = await failing({}, {}, { unsettledEffects: () => Promise.reject(new Error('the database is down')) });

    expect(failure).toMatchObject({ message: 'the database is down' });
    expect(fake.logOf('finish')).toEqual([]);
  });
});
