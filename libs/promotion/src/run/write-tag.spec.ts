import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@waybill/oci-model';
import { oneTag, ourTurn, tagRun } from './fake-run.spec-helper.js';
import type { TagTurn } from './ports.js';
import type { TagRun } from './run.js';
import { earlier, foreign, ours, type Scene, write } from './writing-tag.spec-helper.js';

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
    [
      'a tag that an earlier release of ours wrote before its worker died',
      absent,
      { holds: earlier, turn: ourTurn({ begun: [{ digest: earlier, isNewer: false }] }) },
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
    [
      'a tag that a newer release of ours wrote before its worker died',
      absent,
      { holds: foreign, turn: ourTurn({ begun: [{ digest: foreign, isNewer: true }] }) },
      { outcome: 'superseded' },
    ],
    [
      'a tag of ours that a newer release of ours wrote since, before its worker died',
      absent,
      { holds: foreign, turn: ourTurn({ intendedBefore: true, settledBefore: true, begun: [{ digest: foreign, isNewer: true }] }) },
      { outcome: 'superseded' },
    ],
    [
      'an unreadable tag that a newer release of ours wrote before its worker died',
      unknown,
      { holds: foreign, turn: ourTurn({ begun: [{ digest: foreign, isNewer: true }] }) },
      { outcome: 'superseded' },
    ],
    [
      'a tag that somebody else wrote while an earlier release of ours was about to',
      absent,
      { holds: foreign, turn: ourTurn({ begun: [{ digest: earlier, isNewer: false }] }) },
      conflictOver(foreign),
    ],
    [
      'an immutable tag that an earlier release of ours wrote before its worker died',
      tagRun({ immutable: true }),
      { holds: earlier, turn: ourTurn({ begun: [{ digest: earlier, isNewer: false }] }) },
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
