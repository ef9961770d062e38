import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { ApplyTopology, CreateKey, CreatePromotion, Grant, ListPromotions, LocateRegistry } from './index.js';

const promotion = { path: 'release', items: [{ source: 'ci-snapshots/app:1.0.0' }] };
const grant = { verbs: ['promotions:create'], paths: ['release'], repositories: ['team-a/**'] };

describe('requests', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['a promotion', CreatePromotion, promotion],
    [
      'a promotion with all of it',
      CreatePromotion,
      { ...promotion, reason: 'ünïcode 🚢', labels: { a: '' }, externalRef: '', onBehalfOf: { issuer: 'i', subject: 's' } },
    ],
    ['as many labels as there may be', CreatePromotion, { ...promotion, labels: labels(32) }],
    ['a key that never expires', CreateKey, { subject: 's', grants: [grant] }],
    ['a key that expires', CreateKey, { subject: 's', grants: [grant], expiresAt: '2030-01-01T00:00:00Z' }],
    [
      'every pattern of the grammar',
      Grant,
      { ...grant, paths: ['*', 're?ease', 'a-b'], repositories: ['**', '*', 'a/*/b', '**/x', 'a_b.c/d-?'] },
    ],
    ['a loopback origin', LocateRegistry, { address: 'http://127.0.0.1:5000' }],
  ])('take %s', (_what, schema, value) => {
    expect(schema.parse(value)).toEqual(value);
  });

  it.each<[string, z.ZodType, unknown]>([
    ['an unknown field', CreatePromotion, { ...promotion, force: true }],
    ['one label too many', CreatePromotion, { ...promotion, labels: labels(33) }],
    ['a label without a name', CreatePromotion, { ...promotion, labels: { '': 'x' } }],
    ['NUL in a text', CreatePromotion, { ...promotion, reason: '\0' }],
    ['NUL in the name of a label', CreatePromotion, { ...promotion, labels: { 'a\0': 'x' } }],
    ['half of a surrogate pair', CreatePromotion, { ...promotion, externalRef: '\udc00' }],
    ['a text that is too long', CreatePromotion, { ...promotion, reason: 'x'.repeat(2001) }],
    ['no tag where tags are named', CreatePromotion, { ...promotion, items: [{ source: 'a/b:c', tags: [] }] }],
    ['an empty grant', CreateKey, { subject: 's', grants: [{ ...grant, verbs: [] }] }],
    ['an offset of time', CreateKey, { subject: 's', grants: [grant], expiresAt: '2030-01-01T00:00:00+02:00' }],
    ['a negated pattern', Grant, { ...grant, repositories: ['!a'] }],
    ['a class of characters', Grant, { ...grant, repositories: ['[ab]'] }],
    ['a path with a slash', Grant, { ...grant, paths: ['a/**'] }],
    ['a topology without text', ApplyTopology, { source: '' }],
    ['an address beyond loopback', LocateRegistry, { address: 'http://10.0.0.1:5000' }],
    ['an address with a path', LocateRegistry, { address: 'http://127.0.0.1:5000/' }],
    ['a misspelt query', ListPromotions, { curser: 'x' }],
  ])('refuse %s', (_what, schema, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  it.each([
    ['x', '"x"'],
    ['', '""'],
    ['201', '"201"'],
    ['1.5', '"1.5"'],
    ['-1', '"-1"'],
    [['1', '2'], '["1","2"]'],
    ['9'.repeat(80), `"${'9'.repeat(49)}…`],
  ])('say what limit was given, and what is allowed: %j', (limit, shown) => {
    const { error } = ListPromotions.safeParse({ limit });

    expect(error?.issues).toEqual([
      expect.objectContaining({ path: ['limit'], message: `expected a whole number from 1 to 200, not ${shown}` }),
    ]);
  });

  it('read pages from the text of a query', () => {
    expect(ListPromotions.parse({})).toEqual({ limit: 50 });
    expect(ListPromotions.parse({ limit: '7', cursor: 'x' })).toEqual({ limit: 7, cursor: 'x' });
    for (const limit of ['', '0', '201', '1.5', 'many', ['1', '2']]) expect(ListPromotions.safeParse({ limit }).success).toBe(false);
  });
});

function labels(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, 'x']));
}
