import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcceptedPromotion, Promotion, PromotionList } from '@waybill/contracts/http';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease, type RegistryUnderTest, startRegistry } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';

describe('filtering promotions', () => {
  let api: ApiUnderTest;
  let registry: RegistryUnderTest;
  let digest: string;
  let otherKey: string;
  let ofTeamB: string;
  /** In the order of their making. */
  const made: Promotion[] = [];

  async function promote(source: string, facts: { readonly tags?: string[]; readonly key?: string } = {}): Promise<void> {
    const { tags, key = api.adminKey } = facts;
    const item = { source: `ci-snapshots/${source}`, ...(tags === undefined ? {} : { tags }) };
    const { id } = (await api.post(path, { path: 'release', items: [item] }, { key })).body as AcceptedPromotion;
    made.push((await api.send('GET', `${path}/${id}`)).body as Promotion);
  }

  beforeAll(async () => {
    [api, registry] = await Promise.all([startApi(), startRegistry()]);
    digest = (await registry.push('team-a/app', '1.0.0')).manifest.digest;
    await registry.push('team-b/app', '1.0.0', 2);
    await applyRelease(api, { 'ci-snapshots': registry.url, prod: registry.url, 'prod-us': registry.url });
    otherKey = await api.keyWith([{ verbs: ['promotions:create'], paths: ['*'], repositories: ['**'] }], { subject: 'pipeline' });
    ofTeamB = await api.keyWith([{ verbs: ['promotions:read'], paths: ['*'], repositories: ['team-b/**'] }]);
    await promote('team-a/app:1.0.0');
    await promote('team-b/app:1.0.0');
    await promote('team-a/app:1.0.0', { tags: ['2.0.0'] });
    await promote('team-b/app:1.0.0', { tags: ['2.0.0'], key: otherKey });
  });
  afterAll(async () => {
    await Promise.all([api.stop(), registry.stop()]);
  });

  async function listed(query: Readonly<Record<string, string>>, { limit = 50, key = api.adminKey } = {}): Promise<number[]> {
    const places: number[] = [];
    let cursor: string | undefined;
    do {
      const asked = new URLSearchParams({ ...query, limit: String(limit), ...(cursor === undefined ? {} : { cursor }) });
      const { promotions, next } = (await api.send('GET', `${path}?${asked.toString()}`, { key })).body as PromotionList;
      places.push(...promotions.map(({ id }) => made.findIndex((one) => one.id === id)));
      cursor = next;
    } while (cursor !== undefined);
    return places;
  }

  it.each<[string, () => Record<string, string>, number[]]>([
    ['state', () => ({ state: 'requested' }), [3, 2, 1, 0]],
    ['a state that none is in', () => ({ state: 'failed' }), []],
    ['path', () => ({ path: 'release' }), [3, 2, 1, 0]],
    ['a path that is none', () => ({ path: 'elsewhere' }), []],
    ['repository', () => ({ repository: 'team-b/app' }), [3, 1]],
    ['digest', () => ({ digest }), [2, 0]],
    ['tag', () => ({ tag: '2.0.0' }), [3, 2]],
    ['principal', () => ({ principal: made[3]!.requestedBy }), [3]],
    ['requestedAfter', () => ({ requestedAfter: made[2]!.requestedAt }), [3, 2]],
    ['requestedBefore', () => ({ requestedBefore: made[2]!.requestedAt }), [1, 0]],
    ['the name of a principal', () => ({ principal: 'pipeline' }), [3]],
    ['issuer and name of a principal', () => ({ principal: 'waybill:environment/admin' }), [2, 1, 0]],
    ['repository and tag', () => ({ repository: 'team-a/app', tag: '2.0.0' }), [2]],
    ['all of them', () => ({ ...all(), state: 'requested', path: 'release', digest, tag: '1.0.0' }), [2, 0]],
  ])('by %s', async (_what, query, expected) => {
    expect(await listed(query())).toEqual(expected);
    expect(await listed(query(), { limit: 1 })).toEqual(expected);
  });

  function all(): Record<string, string> {
    const [first, last] = [made[0]!, made[3]!];
    return { repository: 'team-a/app', principal: first.requestedBy, requestedAfter: first.requestedAt, requestedBefore: last.requestedAt };
  }

  it('names the image that each brings', async () => {
    const { promotions } = (await api.send('GET', `${path}?digest=${digest}&limit=1`)).body as PromotionList;

    expect(promotions).toEqual([expect.objectContaining({ image: { repository: 'team-a/app', tag: '1.0.0', digest }, items: 1 })]);
  });

  it('asks which principal is meant where several are called that', async () => {
    const grants = [{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }];
    await api.keyWith([{ verbs: ['promotions:read'], paths: ['*'], repositories: ['**'] }], { subject: 'twice' });
    await api.post('/api/v1/keys', { subject: 'twice', grants });

    const [error] = problemIn(await api.send('GET', `${path}?principal=twice`)).errors ?? [];

    expect(error?.detail).toMatch(/^"twice" is not one principal: name it as spec\/twice \(\S{36}\) or waybill\/twice \(\S{36}\)$/);
    expect(await listed({ principal: 'spec/twice' })).toEqual([]);
  });

  it('says that nobody is called that', async () => {
    expect(problemIn(await api.send('GET', `${path}?principal=nobody`)).errors).toEqual([
      { pointer: '/principal', detail: 'no principal is called "nobody"' },
    ]);
  });

  it('shows of what is found only what the key may read', async () => {
    expect(await listed({ tag: '2.0.0' }, { key: ofTeamB })).toEqual([3]);
    expect(await listed({ digest }, { key: ofTeamB, limit: 1 })).toEqual([]);
  });

  it.each([
    ['state', 'done'],
    ['path', ''],
    ['repository', 'Team A'],
    ['digest', 'latest'],
    ['tag', '-'],
    ['principal', 'me'],
    ['requestedAfter', 'yesterday'],
    ['requestedBefore', '2026-01-01'],
    ['requestedBefore', '2026-01-01T00:00:00+01:00'],
  ])('refuses %s=%s', async (name, value) => {
    expect(problemIn(await api.send('GET', `${path}?${new URLSearchParams({ [name]: value }).toString()}`))).toMatchObject({
      status: 422,
      code: 'request-invalid',
      errors: [{ pointer: `/${name}` }],
    });
  });
});
