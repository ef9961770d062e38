import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ItemTargetState, itemTargetStates, itemTargetTransitions, mistakesOf, statesBefore, type TransitionTable } from './states.js';

type Step = 'start' | 'way' | 'end';
const sound: TransitionTable<Step> = { start: ['way', 'end'], way: ['start', 'end'], end: [] };

describe('mistakesOf', () => {
  it.each<[string, TransitionTable<Step>, readonly string[]]>([
    ['a sound table', sound, []],
    ['a state that nothing leads to', { ...sound, start: ['end'], way: ['end'] }, ['"way" cannot be reached from "start"']],
    ['a state that nothing leads out of', { ...sound, way: [] }, ['"end" cannot be reached from "way"']],
    [
      'states that only lead to each other',
      { ...sound, start: ['way'], way: ['start'] },
      ['"end" cannot be reached from "start"', '"end" cannot be reached from "start"', '"end" cannot be reached from "way"'],
    ],
    ['an end that leads on', { ...sound, end: ['start'] }, ['"end" is an end and leads on']],
    ['a state that is none', { ...sound, way: ['end', 'elsewhere' as Step] }, ['"way" leads to "elsewhere", which is no state']],
    [
      'a state named as what every object has',
      { ...sound, way: ['end', 'constructor' as Step] },
      ['"way" leads to "constructor", which is no state'],
    ],
  ])('of %s', (_name, table, mistakes) => {
    expect([...mistakesOf(table, 'start', 'end')].sort()).toEqual([...mistakes].sort());
  });
});

describe('itemTargetTransitions', () => {
  it('has no mistake', () => {
    expect(mistakesOf(itemTargetTransitions, 'pending', 'done')).toEqual([]);
    expect(Object.keys(itemTargetTransitions)).toEqual(itemTargetStates);
  });

  it('can be ended and taken over in every state on the way', () => {
    const onTheWay = itemTargetStates.filter((state) => state !== 'done');

    expect(statesBefore(itemTargetTransitions, 'done')).toEqual(onTheWay);
    expect(statesBefore(itemTargetTransitions, 'copying')).toEqual(onTheWay);
    expect(statesBefore(itemTargetTransitions, 'pending')).toEqual(onTheWay.filter((state) => state !== 'pending'));
  });

  it('never skips verifying or attesting', () => {
    expect(statesBefore(itemTargetTransitions, 'verifying')).toEqual(['copying']);
    expect(statesBefore(itemTargetTransitions, 'attesting')).toEqual(['verifying']);
    expect(statesBefore(itemTargetTransitions, 'tagging')).toEqual(['attesting', 'tagging']);
  });

  it('leads to done from wherever a walk has come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 30 }), (choices) => {
        let state: ItemTargetState = 'pending';
        for (const choice of choices) {
          const next: readonly ItemTargetState[] = itemTargetTransitions[state];
          state = next[choice % next.length] ?? state;
        }
        return state === 'done' || itemTargetTransitions[state].includes('done');
      }),
    );
  });
});
