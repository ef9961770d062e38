import { describe, expect, it } from '@jest/globals';
import { ContentError, type RepositoryName, type Tag } from '@waybill/oci-model';
import { copied, digestNamed, FakeRun, itemRun, oneTag, ourTurn, rootManifest, tagRun, targetRun } from './fake-run.spec-helper.js';
import type { ContentCopier, CopyOutcome, UnsettledEffect } from './ports.js';
import { runItem } from './run-item.js';
import type { TargetRun } from './run.js';

const signal = new AbortController().signal;

function trouble(facts: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {}): ContentError {
  return new ContentError('the registry is in trouble', { code: 'unavailable', operation: 'test', ...facts });
}

/** A copier that ends as told at some targets and copies to the others. */
function copying(ends: Readonly<Record<string, CopyOutcome>>): Partial<ContentCopier> {
  return { copy: (_item, targets) => Promise.resolve(new Map(targets.map(({ id }) => [id, ends[id] ?? copied()]))) };
}

function failedCopy(error: ContentError): CopyOutcome {
  return { outcome: 'failed', error, bytesCopied: 4, bytesMounted: 0, bytesSkipped: 0 };
}

describe('runItem', () => {
  it('goes copy, verify, attest, tag, settle, and records each step before it is taken', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.log.filter((line) => !line.startsWith('resolveSourceTag'))).toEqual([
      'beginAttempt prod',
      'copy item prod',
      'intendManifest prod',
      'send prod',
      'recordCopy prod copied',
      'verify item prod',
      'settleContent prod',
      'advance prod tagging',
      'readinessToTag prod',
      'acquireTag prod 1.0.0',
      'resolveTargetTag prod 1.0.0',
      'intendTag prod 1.0.0',
      'putTargetTag item prod 1.0.0',
      'resolveTargetTag prod 1.0.0',
      'settleTag prod 1.0.0',
      'finish prod',
    ]);
    expect(fake.endings.get('prod')).toEqual({ outcome: 'copied', bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 });
  });

  it('copies to all targets in one call', async () => {
    const fake = new FakeRun();

    await runItem(itemRun([targetRun('one'), targetRun('two')]), fake.ports, signal);

    expect(fake.logOf('copy')).toEqual(['copy item one+two']);
    expect(fake.outcomes()).toEqual({ one: 'copied', two: 'copied' });
  });

  it.each(['copied', 'mounted', 'already-present'] as const)('records bytes and outcome of a copy that ended %s', async (outcome) => {
    const records: unknown[] = [];
    const fake = new FakeRun({
      copier: copying({ prod: copied(outcome) }),
      journal: { recordCopy: (_target, ...record) => Promise.resolve(void records.push(record)) },
    });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(records).toEqual([[outcome, { bytesCopied: 10, bytesMounted: 2, bytesSkipped: 1 }]]);
  });

  it.each([
    ['copied', 'tag is new', undefined, 'copied'],
    ['mounted', 'tag is new', undefined, 'mounted'],
    ['already-present', 'tag is new', undefined, 'mounted'],
    ['already-present', 'tag is there', rootManifest.digest, 'already-present'],
    ['copied', 'tag is there', rootManifest.digest, 'copied'],
  ] as const)('where content is %s and the %s', async (content, _tag, holds, outcome) => {
    const fake = new FakeRun({ copier: copying({ prod: copied(content) }) });
    if (holds !== undefined) fake.tags.set(`prod:${oneTag}`, holds);

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: outcome });
    expect(fake.logOf('putTargetTag')).toHaveLength(holds === undefined ? 1 : 0);
  });

  it.each([
    ['copied', 'already-present', 'copied'],
    ['already-present', 'mounted', 'mounted'],
    ['mounted', 'copied', 'copied'],
  ] as const)('after an attempt that %s, one that finds it %s makes it %s', async (before, now, outcome) => {
    const fake = new FakeRun({ copier: copying({ prod: copied(now) }) });

    await runItem(itemRun([targetRun('prod', { content: before, attempts: 1 })]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: outcome });
    expect(fake.logOf('recordCopy')).toEqual([`recordCopy prod ${outcome}`]);
  });

  it('goes on with tagging where an earlier worker stopped, without copying again', async () => {
    const fake = new FakeRun();
    const targets = [targetRun('one', { state: 'tagging', content: 'already-present' }), targetRun('two', { state: 'tagging' })];

    await runItem(itemRun(targets), fake.ports, signal);

    expect(fake.logOf('copy', 'verify', 'recordCopy', 'resolveSourceTag')).toEqual([]);
    expect(fake.outcomes()).toEqual({ one: 'mounted', two: 'copied' });
  });

  it('does not keep a target that only wants its tag waiting for the copy to others', async () => {
    let finishCopy = (): void => undefined;
    const copyEnds = new Promise<void>((resolve) => {
      finishCopy = resolve;
    });
    const finished: string[] = [];
    const fake = new FakeRun({
      copier: { copy: (_item, targets) => copyEnds.then(() => new Map(targets.map(({ id }) => [id, copied()]))) },
      journal: {
        finish: ({ id }) => {
          finishCopy();
          return Promise.resolve(void finished.push(id));
        },
      },
    });

    await runItem(itemRun([targetRun('slow'), targetRun('resumed', { state: 'tagging' })]), fake.ports, signal);

    expect(finished).toEqual(['resumed', 'slow']);
  });
});

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

describe('runItem when a target fails', () => {
  it('lets no target stop the others', async () => {
    const fake = new FakeRun({
      copier: copying({ passing: failedCopy(trouble({ retryable: true })), final: failedCopy(trouble()) }),
    });

    await runItem(itemRun([targetRun('passing'), targetRun('final'), targetRun('good')]), fake.ports, signal);

    expect(Object.fromEntries(fake.kept)).toEqual({ passing: { code: 'unavailable', delayMs: 100, bytesCopied: 4 } });
    expect(fake.outcomes()).toEqual({ final: 'failed', good: 'copied' });
    expect(fake.endings.get('final')).toMatchObject({ bytesCopied: 4, error: { code: 'unavailable' } });
  });

  it.each([
    ['the first attempt', 0, undefined, 100],
    ['the second attempt', 1, undefined, 200],
    ['an attempt that the registry answered with a wish', 0, 5_000, 5_000],
  ])('keeps it for later after %s', async (_name, attempts, retryAfterMs, delayMs) => {
    const error = trouble({ retryable: true, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    const fake = new FakeRun({ copier: copying({ prod: failedCopy(error) }) });

    await runItem(itemRun([targetRun('prod', { attempts })]), fake.ports, signal);

    expect(fake.kept.get('prod')?.delayMs).toBe(delayMs);
    expect(fake.outcomes()).toEqual({});
  });

  it('ends it as failed after the last attempt', async () => {
    const fake = new FakeRun({ copier: copying({ prod: failedCopy(trouble({ retryable: true })) }) });

    await runItem(itemRun([targetRun('prod', { attempts: 2 })]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: 'failed' });
    expect(fake.kept.size).toBe(0);
  });

  it('ends all targets when the root cannot be read at the source', async () => {
    const unreadable = new ContentError('wrong bytes', { code: 'digest-mismatch', operation: 'read manifest' });
    const fake = new FakeRun({ copier: { copy: () => Promise.reject(unreadable) } });

    await runItem(itemRun([targetRun('one'), targetRun('two')]), fake.ports, signal);

    expect(fake.endings.get('one')).toMatchObject({ outcome: 'failed', error: unreadable, bytesCopied: 0 });
    expect(fake.endings.get('two')).toMatchObject({ outcome: 'failed', error: unreadable });
  });

  it('keeps all targets for later when the source is down', async () => {
    const fake = new FakeRun({ copier: { copy: () => Promise.reject(trouble({ retryable: true })) } });

    await runItem(itemRun([targetRun('one'), targetRun('two')]), fake.ports, signal);

    expect([...fake.kept.keys()]).toEqual(['one', 'two']);
  });

  it.each(['verify', 'resolveTargetTag', 'putTargetTag'] as const)('settles the target alone when %s fails', async (method) => {
    const sound = new FakeRun().ports.copier;
    const isBad = (target: TargetRun) => target.id === 'bad';
    const fails = () => Promise.reject(trouble());
    const fake = new FakeRun({
      copier: {
        verify: {
          verify: (...args: Parameters<ContentCopier['verify']>) => (isBad(args[1]) ? fails() : sound.verify(...args)),
        },
        resolveTargetTag: {
          resolveTargetTag: (...args: Parameters<ContentCopier['resolveTargetTag']>) =>
            isBad(args[0]) ? fails() : Promise.resolve(rootManifest.digest),
        },
        putTargetTag: {
          putTargetTag: (...args: Parameters<ContentCopier['putTargetTag']>) => (isBad(args[1]) ? fails() : Promise.resolve()),
          resolveTargetTag: (target: TargetRun) => Promise.resolve(isBad(target) ? undefined : rootManifest.digest),
        },
      }[method],
    });

    await runItem(itemRun([targetRun('bad'), targetRun('good')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ bad: 'failed', good: 'copied' });
  });

  it('tries an unexpected error again, and shows its cause', async () => {
    const defect = new TypeError('undefined is not a function');
    const kept: unknown[] = [];
    const fake = new FakeRun({
      copier: { verify: () => Promise.reject(defect) },
      journal: { retryLater: (_target, error) => Promise.resolve(void kept.push(error)) },
    });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(kept).toEqual([expect.objectContaining({ code: 'unexpected', operation: 'promote', cause: defect })]);
  });

  it('fails a target that the copier forgot, and no other', async () => {
    const fake = new FakeRun({ copier: { copy: () => Promise.resolve(new Map([['kept', copied()]])) } });

    await runItem(itemRun([targetRun('kept'), targetRun('forgotten')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ kept: 'copied', forgotten: 'failed' });
    expect(fake.endings.get('forgotten')?.error).toMatchObject({ code: 'unexpected', retryable: false });
  });

  it('treats a copy that was cancelled without our signal as failed', async () => {
    const cancelled: CopyOutcome = { ...failedCopy(trouble()), outcome: 'cancelled', error: trouble() };
    const fake = new FakeRun({ copier: copying({ prod: cancelled }) });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.outcomes()).toEqual({ prod: 'failed' });
  });
});

describe('runItem and the source tag', () => {
  const moves = async (found: FakeRun['sourceTag'], facts = {}) => {
    const recorded: unknown[] = [];
    const fake = new FakeRun({ journal: { recordSourceMove: (_item, to) => Promise.resolve(void recorded.push(to)) } });
    fake.sourceTag = found;
    await runItem(itemRun([targetRun('prod')], facts), fake.ports, signal);
    return { fake, recorded };
  };

  it.each([
    ['moved', digestNamed('a newer build')],
    ['vanished', undefined],
  ])('records that it %s, and brings the pinned digest', async (_name, found) => {
    const { fake, recorded } = await moves(found);

    expect(recorded).toEqual([found]);
    expect(fake.tags.get(`prod:${oneTag}`)).toBe(rootManifest.digest);
    expect(fake.outcomes()).toEqual({ prod: 'copied' });
  });

  it('records nothing when it still names the pinned digest', async () => {
    expect((await moves(rootManifest.digest)).recorded).toEqual([]);
  });

  it('asks nothing when the item was named by digest', async () => {
    const source = { registry: 'ci-snapshots', repository: 'team/app' as RepositoryName };
    const { fake, recorded } = await moves(digestNamed('a newer build'), { source });

    expect(recorded).toEqual([]);
    expect(fake.logOf('resolveSourceTag')).toEqual([]);
  });

  it('leaves a source that cannot be asked to the copy', async () => {
    const fake = new FakeRun({ copier: { resolveSourceTag: () => Promise.reject(trouble()) } });

    await runItem(itemRun([targetRun('prod')]), fake.ports, signal);

    expect(fake.logOf('recordSourceMove')).toEqual([]);
    expect(fake.outcomes()).toEqual({ prod: 'copied' });
  });
});

describe('runItem and replicas', () => {
  const replica = targetRun('replica', { follows: 'prod' });

  it('tags a replica at the location of its prod right after the prod', async () => {
    const fake: FakeRun = new FakeRun({
      journal: {
        readinessToTag: ({ follows }) =>
          Promise.resolve(follows === undefined || fake.endings.has(follows) ? { ready: true } : { ready: false, wait: true }),
      },
    });

    await runItem(itemRun([replica, targetRun('prod')]), fake.ports, signal);

    expect(fake.logOf('finish')).toEqual(['finish prod', 'finish replica']);
    expect(fake.outcomes()).toEqual({ prod: 'copied', replica: 'copied' });
  });

  it('waits for its own prod only', async () => {
    const sound = new FakeRun().ports.copier;
    let letOtherGo = (): void => undefined;
    const otherGoes = new Promise<void>((resolve) => {
      letOtherGo = resolve;
    });
    const fake = new FakeRun({
      copier: { verify: (...args) => (args[1].id === 'other' ? otherGoes.then(() => sound.verify(...args)) : sound.verify(...args)) },
      journal: {
        finish: ({ id }) => {
          if (id === 'replica') letOtherGo();
          return Promise.resolve();
        },
      },
    });

    await runItem(itemRun([targetRun('other'), targetRun('prod'), replica]), fake.ports, signal);

    expect(fake.logOf('finish')).toEqual(['finish prod', 'finish replica', 'finish other']);
  });

  it('leaves a replica verified and untagged while its prod is not there yet', async () => {
    const fake = new FakeRun({ journal: { readinessToTag: () => Promise.resolve({ ready: false, wait: true }) } });

    await runItem(itemRun([replica]), fake.ports, signal);

    expect(fake.logOf('advance', 'acquireTag', 'finish', 'retryLater')).toEqual(['advance replica tagging']);
  });

  it.each(['failed', 'superseded', 'cancelled'] as const)('ends a replica as %s with its prod', async (outcome) => {
    const fake = new FakeRun({
      journal: { readinessToTag: () => Promise.resolve({ ready: false, wait: false, outcome, reason: `prod ended ${outcome}` }) },
    });

    await runItem(itemRun([replica]), fake.ports, signal);

    expect(fake.endings.get('replica')).toMatchObject({ outcome, error: { code: 'prod-not-tagged', message: `prod ended ${outcome}` } });
    expect(fake.logOf('acquireTag')).toEqual([]);
  });

  it('asks for a replica whose prod failed in the same run', async () => {
    const fake = new FakeRun({
      copier: copying({ prod: failedCopy(trouble()) }),
      journal: { readinessToTag: () => Promise.resolve({ ready: false, wait: false, outcome: 'failed', reason: 'prod failed' }) },
    });

    await runItem(itemRun([targetRun('prod'), replica]), fake.ports, signal);

    expect(fake.logOf('finish')).toEqual(['finish prod', 'finish replica']);
    expect(fake.outcomes()).toEqual({ prod: 'failed', replica: 'failed' });
  });
});
