import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { createMigratedDatabase, type TestDatabase } from '@waybill/testing';
import { Database } from '../database.js';
import { Principals } from './principals.js';

const github = 'https://token.actions.example';
/** Issuer and subject. */
const known = [
  ['waybill', 'ci'],
  [github, 'ci'],
  [github, 'repo/app'],
  ['waybill', 'jane'],
  ...Array.from({ length: 6 }, (_, issuer) => [`issuer-${issuer}`, 'everywhere'] as const),
] as const;

describe('Principals', () => {
  let server: TestDatabase;
  let database: Database;
  let principals: Principals;
  const ids: string[] = [];

  beforeAll(async () => {
    server = await createMigratedDatabase();
    database = new Database(server.url);
    principals = new Principals(database);
    for (const [issuer, subject] of known) {
      const { id } = await database.tables.principal.create({ data: { id: uuidV7.next(), kind: 'service', issuer, subject } });
      ids.push(id);
    }
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  it.each([
    ['jane', ['waybill/jane']],
    ['waybill/jane', ['waybill/jane']],
    ['ci', [`${github}/ci`, 'waybill/ci']],
    [`${github}/ci`, [`${github}/ci`]],
    ['repo/app', [`${github}/repo/app`]],
    [`${github}/repo/app`, [`${github}/repo/app`]],
    ['app', []],
    ['waybill', []],
    ['Jane', []],
    ['everywhere', [0, 1, 2, 3, 4].map((issuer) => `issuer-${issuer}/everywhere`)],
  ])('finds whom %s may mean', async (name, expected) => {
    expect((await principals.named(name)).map(({ issuer, subject }) => `${issuer}/${subject}`)).toEqual(expected);
  });

  it('calls principals by their names, and by their subjects once those are erased', async () => {
    const [ci = '', , , jane = ''] = ids;
    await database.tables.principalName.create({ data: { principalId: jane, displayName: 'Jane Doe' } });
    expect(await principals.namesOf(new Set([ci, jane, uuidV7.next()]))).toEqual(
      new Map([
        [ci, 'ci'],
        [jane, 'Jane Doe'],
      ]),
    );

    await database.tables.principalName.deleteMany({});

    expect(await principals.namesOf(new Set([jane]))).toEqual(new Map([[jane, 'jane']]));
    expect(await principals.namesOf(new Set())).toEqual(new Map());
  });
});
