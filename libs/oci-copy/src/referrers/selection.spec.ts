import { describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import type { ReferrerSelection } from '../options.js';
import { Selection } from './selection.js';

const [one, other] = ['one', 'other'].map((text) => digestOf(Buffer.from(text))) as [
  ReturnType<typeof digestOf>,
  ReturnType<typeof digestOf>,
];

describe('Selection', () => {
  const rows: readonly [ReferrerSelection, { includes: boolean; requires: boolean; isEmpty: boolean; demands: boolean }][] = [
    ['none', { includes: false, requires: false, isEmpty: true, demands: false }],
    ['all', { includes: true, requires: false, isEmpty: false, demands: false }],
    [{}, { includes: true, requires: false, isEmpty: false, demands: false }],
    [{ include: [] }, { includes: false, requires: false, isEmpty: true, demands: false }],
    [{ include: ['a/b'] }, { includes: true, requires: false, isEmpty: false, demands: false }],
    [{ include: ['c/d'] }, { includes: false, requires: false, isEmpty: false, demands: false }],
    [
      { include: ['c/d'], required: ['a/b'] },
      { includes: true, requires: true, isEmpty: false, demands: true },
    ],
    [
      { include: [], required: 'all' },
      { includes: true, requires: true, isEmpty: false, demands: true },
    ],
    [
      { include: [], pinned: [one] },
      { includes: true, requires: true, isEmpty: false, demands: true },
    ],
    [
      { include: [], pinned: [other] },
      { includes: false, requires: false, isEmpty: false, demands: true },
    ],
  ];
  it.each(rows)('%j decides on a referrer of type a/b', (rules, expected) => {
    const selection = new Selection(rules);

    expect({
      includes: selection.includes(one, ['a/b', 'x/y']),
      requires: selection.requires(one, ['a/b', 'x/y']),
      isEmpty: selection.isEmpty,
      demands: selection.demands,
    }).toEqual(expected);
  });

  it.each([
    ['a/b', true],
    ['c/d', false],
    [undefined, true],
    // go-containerregistry's registry says so of an index, which has no config.
    ['', true],
  ])('may include what a list calls "%s"', (listedType, expected) => {
    expect(new Selection({ include: ['a/b'] }).mayInclude(one, listedType)).toBe(expected);
  });

  it('names what is required and was not found', () => {
    const selection = new Selection({ required: ['a/b', 'c/d'], pinned: [one, other] });

    expect(selection.missingFrom([{ referrer: one, types: ['c/d', 'x/y'] }])).toEqual(['one of type "a/b"', other]);
    expect(new Selection({ required: 'all' }).missingFrom([])).toEqual([]);
  });
});
