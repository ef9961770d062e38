import { describe, expect, it } from '@jest/globals';
import { digestOf, type RepositoryName, type Tag } from '@waybill/oci-model';
import { expectedFrom } from './expected-digest.js';
import { hashIntent, type Intent } from './intent.js';

const digest = digestOf(Buffer.from('image'));
const intent: Intent = {
  version: 1,
  revision: 4,
  path: { name: 'release', from: 'ci-snapshots', to: ['prod'] },
  items: [
    {
      source: { registry: 'ci-snapshots', repository: 'team/app' as RepositoryName, tag: '1.0.0' as Tag },
      digest,
      targets: [
        {
          registry: 'prod',
          repository: 'team/app' as RepositoryName,
          requirement: 'required',
          tags: [
            { tag: '1.0.0' as Tag, expected: { kind: 'absent' } },
            { tag: '1.0' as Tag, expected: { kind: 'digest', digest } },
          ],
        },
      ],
    },
  ],
};

type Json = string | number | Json[] | { readonly [key: string]: Json };

function hexOf(value: unknown): string {
  return Buffer.from(hashIntent(value as Intent)).toString('hex');
}

/** The same value with the keys of every object the other way round. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

/** Every value that differs from the given one in exactly one leaf, with the path of that leaf. */
function changedOnce(value: Json, path = ''): [string, Json][] {
  if (typeof value === 'string') return [[path, `${value}x`]];
  if (typeof value === 'number') return [[path, value + 1]];
  return Object.entries(value).flatMap(([key, inner]) =>
    changedOnce(inner, `${path}/${key}`).map(([where, changed]): [string, Json] => [
      where,
      Array.isArray(value)
        ? value.map((element: Json, index) => (String(index) === key ? changed : element))
        : { ...value, [key]: changed },
    ]),
  );
}

describe('hashIntent', () => {
  const plain = JSON.parse(JSON.stringify(intent)) as Json;

  it('is a SHA-256 that stays what it was, because approvals bind to it', () => {
    expect(hexOf(intent)).toBe('cebbf6bf9c8d3d9723a932ec0272572f024f5258447542360a633a4fa5f07874');
  });

  it('does not depend on the order of keys', () => {
    expect(JSON.stringify(reversed(plain))).not.toBe(JSON.stringify(plain));
    expect(hexOf(reversed(plain))).toBe(hexOf(intent));
  });

  it('takes a tag that is undefined for one that is not there', () => {
    const [item] = intent.items;
    const { tag: _tag, ...source } = item?.source ?? {};

    expect(hexOf({ ...intent, items: [{ ...item, source: { ...source, tag: undefined } }] })).toBe(
      hexOf({ ...intent, items: [{ ...item, source }] }),
    );
  });

  it.each(changedOnce(plain))('changes with %s', (_path, changed) => {
    expect(hexOf(changed)).not.toBe(hexOf(intent));
  });

  it.each<[string, Intent]>([
    ['another item', { ...intent, items: [...intent.items, ...intent.items] }],
    ['no item', { ...intent, items: [] }],
    ['another target registry of the path', { ...intent, path: { ...intent.path, to: ['prod', 'staging'] } }],
  ])('changes with %s', (_name, changed) => {
    expect(hexOf(changed)).not.toBe(hexOf(intent));
  });

  it('tells unknown from absent', () => {
    const expecting = (kind: string): Json => JSON.parse(JSON.stringify(intent).replace('"absent"', `"${kind}"`)) as Json;

    expect(hexOf(expecting('unknown'))).not.toBe(hexOf(expecting('absent')));
  });
});

describe('expectedFrom', () => {
  it.each([
    [digest, { kind: 'digest', digest }],
    [undefined, { kind: 'absent' }],
  ])('%s', (seen, expected) => {
    expect(expectedFrom(seen)).toEqual(expected);
  });
});
