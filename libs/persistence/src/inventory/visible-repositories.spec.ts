import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { matchesPattern } from '@waybill/access';
import fc from 'fast-check';
import { Prisma } from '../generated/client.js';
import { Scene } from '../scene.spec-helper.js';
import { VisibleRepositories } from './visible-repositories.js';

describe('repositories that a caller may see', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.start();
  });
  afterAll(() => scene.close());

  async function seen(patterns: readonly string[], names: readonly string[]): Promise<string[]> {
    const visible = new VisibleRepositories(patterns);
    const rows = await scene.database.tables.$queryRaw<{ name: string }[]>`
      SELECT n.name FROM unnest(${[...names]}::text[]) WITH ORDINALITY AS n (name, at) WHERE ${visible.has(Prisma.sql`n.name`)} ORDER BY n.at`;
    return rows.map(({ name }) => name);
  }

  const all = ['a', 'team-a/app', 'team-a/x/app', 'team-b/app', 'team.a/app'];
  it.each<[readonly string[], readonly string[]]>([
    [[], []],
    [['**'], all],
    [['*'], ['a']],
    [['team-a/**'], ['team-a/app', 'team-a/x/app']],
    [['team-?/app'], ['team-a/app', 'team-b/app']],
    [
      ['team.a/app', 'a'],
      ['a', 'team.a/app'],
    ],
    [['{team-a,team-b}/app', '[a]', 'a|b', '(a)', '.', String.raw`\a`, '^a$'], []],
  ])('by %j are %j', async (patterns, names) => {
    expect(await seen(patterns, all)).toEqual(names);
  });

  it('are those of libs/access', async () => {
    const part = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), minLength: 1, maxLength: 4 }), fc.constant('**'));
    const patterns = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 3 });
    const names = fc.array(letters, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

    await fc.assert(
      fc.asyncProperty(patterns, fc.array(names, { minLength: 20, maxLength: 40 }), async (pattern, some) => {
        expect(await seen([pattern], some)).toEqual(some.filter((name) => matchesPattern(pattern, name)));
      }),
      { numRuns: 60 },
    );
  });

  it('are found in time whatever the pattern', async () => {
    expect(await seen([`${'*a'.repeat(120)}b`], ['a'.repeat(250)])).toEqual([]);
  });
});
