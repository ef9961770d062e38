import { describe, expect, it } from '@jest/globals';
import { ContentError, type Digest } from '@waybill/oci-model';
import { PromotionError } from '../promotion-error.js';
import { digestNamed, FakeRun, itemRun, oneTag, ourTurn, rootManifest, tagRun, targetRun, untilAborted } from './fake-run.spec-helper.js';
import type { ContentCopier, RunJournal, TagResult, TagTurn } from './ports.js';
import { contextOf } from './run-context.js';
import type { TagRun } from './run.js';
import { conflictError, writeTag } from './write-tag.js';

const ours = rootManifest.digest;
const earlier = digestNamed('an earlier release');
const foreign = digestNamed('somebody else');
const target = targetRun('prod');

interface Scene {
  readonly holds?: Digest;
  readonly turn?: TagTurn;
  readonly copier?: Partial<ContentCopier>;
  readonly journal?: Partial<RunJournal>;
  readonly signal?: AbortSignal;
}

async function write(tag: TagRun, scene: Scene = {}) {
  const settled: TagResult[] = [];
  const fake = new FakeRun({
    ...(scene.copier === undefined ? {} : { copier: scene.copier }),
    journal: {
      acquireTag: () => Promise.resolve(scene.turn ?? ourTurn()),
      settleTag: (_target, _tag, _digest, result) => Promise.resolve(void settled.push(result)),
      ...scene.journal,
    },
  });
  if (scene.holds !== undefined) fake.tags.set(`prod:${oneTag}`, scene.holds);
  const signal = scene.signal ?? new AbortController().signal;
  const reason: unknown = await writeTag(contextOf(itemRun([target]), fake.ports, signal), target, tag).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { fake, settled, reason };
}

function lost(): ContentError {
  return new ContentError('the connection broke', { code: 'unreachable', operation: 'put tag', retryable: true });
}

describe('writeTag', () => {
  const absent = tagRun();
  const expectsEarlier = tagRun({ expected: { kind: 'digest', digest: earlier } });
  const unknown = tagRun({ expected: { kind: 'unknown' } });
  const conflictOver = (found: Digest | undefined) => ({ outcome: 'conflict', found, afterWrite: false });

  it.each<[string, TagRun, Scene, object]>([
    ['an absent tag', absent, {}, { outcome: 'written' }],
    ['an absent tag that is immutable', tagRun({ immutable: true }), {}, { outcome: 'written' }],
    ['a tag that holds what was expected', expectsEarlier, { holds: earlier }, { outcome: 'written' }],
    [
      'a tag that an earlier release of ours wrote since',
      absent,
      { holds: earlier, turn: ourTurn({ writtenSince: earlier }) },
      { outcome: 'written' },
    ],
    ['a tag that nobody could read at request', unknown, { holds: foreign }, { outcome: 'written' }],
    ['an absent tag that nobody could read at request', unknown, {}, { outcome: 'written' }],
    ['a tag that holds the digest already', absent, { holds: ours }, { outcome: 'already-present' }],
    ['an immutable tag that holds the digest already', tagRun({ immutable: true }), { holds: ours }, { outcome: 'already-present' }],
    [
      'a tag that a worker of ours wrote before it died',
      absent,
      { holds: ours, turn: ourTurn({ intendedBefore: true }) },
      { outcome: 'written' },
    ],
    [
      'a tag that a worker of ours settled before it died',
      absent,
      { holds: ours, turn: ourTurn({ intendedBefore: true, settledBefore: true }) },
      { outcome: 'written' },
    ],
    [
      'a tag that was ours and was put back to what was expected',
      expectsEarlier,
      { holds: earlier, turn: ourTurn({ intendedBefore: true, settledBefore: true }) },
      { outcome: 'conflict', found: earlier, afterWrite: true },
    ],
    [
      'a tag that was ours and was deleted',
      absent,
      { turn: ourTurn({ intendedBefore: true, settledBefore: true }) },
      { outcome: 'conflict', found: undefined, afterWrite: true },
    ],
    ['a tag that was expected absent and is taken', absent, { holds: foreign }, conflictOver(foreign)],
    ['a tag that holds something unexpected', expectsEarlier, { holds: foreign }, conflictOver(foreign)],
    ['a tag that was deleted meanwhile', expectsEarlier, {}, conflictOver(undefined)],
    ['an immutable tag that holds what was expected', { ...expectsEarlier, immutable: true }, { holds: earlier }, conflictOver(earlier)],
    ['an immutable tag that nobody could read at request', { ...unknown, immutable: true }, { holds: foreign }, conflictOver(foreign)],
    [
      'an immutable tag that an earlier release of ours wrote',
      tagRun({ immutable: true }),
      { holds: earlier, turn: ourTurn({ writtenSince: earlier }) },
      conflictOver(earlier),
    ],
    ['a tag that a newer release has', absent, { holds: foreign, turn: { turn: 'superseded' } }, { outcome: 'superseded' }],
  ])('settles %s', async (_name, tag, scene, result) => {
    const { reason, settled, fake } = await write(tag, scene);

    expect(reason).toBeUndefined();
    expect(settled).toEqual([result]);
    const isWritten = fake.logOf('putTargetTag').length > 0;
    expect(fake.tags.get(`prod:${oneTag}`)).toBe(isWritten ? ours : scene.holds);
    const found = 'outcome' in result ? result.outcome : undefined;
    expect(isWritten).toBe(found === 'written' && scene.holds !== ours);
  });

  it('records before it writes, and settles after it has read back', async () => {
    const { fake } = await write(absent);

    expect(fake.log).toEqual([
      'acquireTag prod 1.0.0',
      'resolveTargetTag prod 1.0.0',
      'intendTag prod 1.0.0',
      'putTargetTag item prod 1.0.0',
      'resolveTargetTag prod 1.0.0',
      'settleTag prod 1.0.0',
    ]);
  });

  it('notes what it found before it writes a tag that nobody could read at request', async () => {
    const adopted: (Digest | undefined)[] = [];
    const { fake } = await write(unknown, {
      holds: foreign,
      journal: { adoptExpected: (_target, _tag, seen) => Promise.resolve(void adopted.push(seen)) },
    });

    expect(adopted).toEqual([foreign]);
    expect(fake.logOf('adoptExpected', 'intendTag')).toEqual(['adoptExpected prod 1.0.0', 'intendTag prod 1.0.0']);
  });

  it('waits for its turn while another worker holds the lease', async () => {
    const turns: TagTurn[] = [{ turn: 'held', retryAfterMs: 1 }, { turn: 'held', retryAfterMs: 1 }, ourTurn()];

    const { settled, fake } = await write(absent, {
      journal: { acquireTag: () => Promise.resolve(turns.shift() ?? { turn: 'superseded' }) },
    });

    expect(settled).toEqual([{ outcome: 'written' }]);
    expect(fake.logOf('acquireTag')).toHaveLength(3);
  });

  it('stops waiting for its turn when the signal is given', async () => {
    const stop = new AbortController();
    const { reason, fake } = await write(absent, {
      signal: stop.signal,
      journal: {
        acquireTag: () => {
          stop.abort();
          return Promise.resolve({ turn: 'held', retryAfterMs: 600_000 });
        },
      },
    });

    expect(reason).toMatchObject({ name: 'AbortError' });
    expect(fake.logOf('resolveTargetTag', 'settleTag')).toEqual([]);
  });

  it('takes no lease when the signal was given before', async () => {
    const { reason, fake } = await write(absent, { signal: AbortSignal.abort() });

    expect(reason).toMatchObject({ name: 'AbortError' });
    expect(fake.log).toEqual([]);
  });
});

describe('writeTag when the write does not go well', () => {
  it('believes what it reads when the answer was lost after the write', async () => {
    const fake = new FakeRun();
    const { settled } = await write(tagRun(), {
      copier: {
        putTargetTag: async (...args) => {
          await fake.ports.copier.putTargetTag(...args);
          throw lost();
        },
        resolveTargetTag: (...args) => fake.ports.copier.resolveTargetTag(...args),
      },
    });

    expect(settled).toEqual([{ outcome: 'written' }]);
  });

  it('fails as the write did when nothing was written, and leaves the effect open', async () => {
    const { reason, settled } = await write(tagRun(), { copier: { putTargetTag: () => Promise.reject(lost()) } });

    expect(reason).toMatchObject({ code: 'unreachable', retryable: true });
    expect(settled).toEqual([]);
  });

  it('fails as the write did when the read-back fails too', async () => {
    const reads = [() => Promise.resolve(undefined), () => Promise.reject(new Error('the read-back failed'))];
    const { reason, settled } = await write(tagRun(), {
      copier: { putTargetTag: () => Promise.reject(lost()), resolveTargetTag: () => reads.shift()?.() ?? Promise.resolve(undefined) },
    });

    expect(reason).toMatchObject({ code: 'unreachable' });
    expect(settled).toEqual([]);
  });

  it('fails as the read-back did when only that failed', async () => {
    const reads = [() => Promise.resolve(undefined), () => Promise.reject(lost())];
    const { reason, settled } = await write(tagRun(), {
      copier: { resolveTargetTag: () => reads.shift()?.() ?? Promise.resolve(undefined) },
    });

    expect(reason).toMatchObject({ code: 'unreachable' });
    expect(settled).toEqual([]);
  });

  it.each([
    ['after a good answer', () => Promise.resolve()],
    ['after a lost answer', () => Promise.reject(lost())],
  ])('reports another writer whom the read-back shows %s', async (_name, answer) => {
    const fake = new FakeRun();
    const { settled } = await write(tagRun(), {
      copier: {
        putTargetTag: () => {
          fake.tags.set(`prod:${oneTag}`, foreign);
          return answer();
        },
        resolveTargetTag: (...args) => fake.ports.copier.resolveTargetTag(...args),
      },
    });

    expect(settled).toEqual([{ outcome: 'conflict', found: foreign, afterWrite: true }]);
  });

  it.each([
    ['nothing', undefined, tagRun()],
    [earlier, earlier, tagRun({ expected: { kind: 'digest', digest: earlier } })],
  ])('tries again later when the registry took the tag and still shows %s', async (shown, holds, tag) => {
    const { reason, settled } = await write(tag, {
      ...(holds === undefined ? {} : { holds }),
      copier: { putTargetTag: () => Promise.resolve() },
    });

    expect(reason).toMatchObject({ code: 'tag-unconfirmed', retryable: true });
    expect((reason as Error).message).toBe(`registry-prod/team/app:1.0.0 was written and still reads as before: it holds ${shown}`);
    expect(settled).toEqual([]);
  });

  it.each(['putTargetTag', 'resolveTargetTag'] as const)('ends %s before the lease does, to be tried again', async (method) => {
    const hanging: Partial<ContentCopier> =
      method === 'putTargetTag'
        ? { putTargetTag: (_item, _target, _tag, signal) => untilAborted(signal) }
        : { resolveTargetTag: (_target, _tag, signal) => untilAborted(signal) };

    const { reason, settled } = await write(tagRun(), { turn: ourTurn({ leaseMs: 10 }), copier: hanging });

    expect(reason).toMatchObject({ code: 'tag-unconfirmed', retryable: true, cause: { code: 'aborted' } });
    expect(settled).toEqual([]);
  });

  it('sends nothing under a lease that is about to end', async () => {
    const { reason, fake } = await write(tagRun(), {
      turn: ourTurn({ leaseMs: 5 }),
      copier: { resolveTargetTag: (_target, _tag, signal) => untilAborted(signal) },
    });

    expect(reason).toMatchObject({ code: 'tag-unconfirmed' });
    expect(fake.logOf('putTargetTag')).toEqual([]);
  });

  it('lets a lost lease through as it is, whatever the deadline says', async () => {
    const leaseLost = new PromotionError('another worker took over', { code: 'lease-lost', operation: 'test' });
    const { reason } = await write(tagRun(), {
      turn: ourTurn({ leaseMs: 5 }),
      copier: { resolveTargetTag: (_target, _tag, signal) => untilAborted(signal).catch(() => Promise.reject(leaseLost)) },
    });

    expect(reason).toBe(leaseLost);
  });

  it("lets the caller's stop through as it is", async () => {
    const stop = new AbortController();
    const { reason, settled } = await write(tagRun(), {
      signal: stop.signal,
      copier: {
        putTargetTag: (_item, _target, _tag, signal) => {
          stop.abort();
          return untilAborted(signal);
        },
      },
    });

    expect(reason).toMatchObject({ code: 'aborted' });
    expect(settled).toEqual([]);
  });
});

describe('writeTag and the lease of the tag', () => {
  const refusesLate = () => Promise.reject(new PromotionError('the tag is taken', { code: 'lease-lost', operation: 'test' }));

  it.each<[string, Scene]>([
    ['the tag could not be read', { copier: { resolveTargetTag: () => Promise.reject(lost()) } }],
    ['the intent could not be recorded', { journal: { intendTag: () => Promise.reject(new Error('the database is down')) } }],
    ['the intent came too late', { journal: { intendTag: refusesLate } }],
  ])('gives it up when %s, because nothing was sent', async (_name, scene) => {
    const { reason, fake } = await write(tagRun(), scene);

    expect(reason).toBeInstanceOf(Error);
    expect(fake.logOf('releaseTag', 'putTargetTag')).toEqual(['releaseTag prod 1.0.0']);
  });

  it('fails as the tag did when the lease cannot be given up either', async () => {
    const { reason } = await write(tagRun(), {
      copier: { resolveTargetTag: () => Promise.reject(lost()) },
      journal: { releaseTag: () => Promise.reject(new Error('the database is down')) },
    });

    expect(reason).toMatchObject({ code: 'unreachable' });
  });

  it.each<[string, Partial<ContentCopier>]>([
    ['the answer was lost', { putTargetTag: () => Promise.reject(lost()) }],
    ['the registry shows nothing of it', { putTargetTag: () => Promise.resolve() }],
  ])('keeps it when %s, because the write may still land', async (_name, copier) => {
    const { reason, fake } = await write(tagRun(), { copier });

    expect(reason).toBeInstanceOf(Error);
    expect(fake.logOf('releaseTag')).toEqual([]);
  });
});

describe('conflictError', () => {
  const immutable = tagRun({ immutable: true });

  it.each([
    ['tag-immutable', immutable, { found: foreign, afterWrite: false }, 'is immutable and already holds sha256:'],
    ['tag-moved', immutable, { found: foreign, afterWrite: true }, 'while we wrote it: it now holds sha256:'],
    ['tag-moved', immutable, { found: undefined, afterWrite: false }, 'since the promotion was requested: it now holds nothing'],
    ['tag-moved', tagRun(), { found: foreign, afterWrite: false }, 'since the promotion was requested: it now holds sha256:'],
    ['tag-moved', tagRun(), { found: undefined, afterWrite: true }, 'while we wrote it: it now holds nothing'],
  ])('says %s', (code, tag, facts, words) => {
    const error = conflictError(target, tag, { outcome: 'conflict', ...facts });

    expect(error).toMatchObject({ code, retryable: false, details: { tag: oneTag, found: facts.found ?? null, expected: tag.expected } });
    expect(error.message).toContain(`registry-prod/team/app:${oneTag}`);
    expect(error.message).toContain(words);
  });
});
