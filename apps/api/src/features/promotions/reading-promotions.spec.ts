import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcceptedPromotion, Promotion, PromotionList, Provenance } from '@waybill/contracts/http';
import { ProvenanceChain } from '@waybill/persistence';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease, promotionOf, type RegistryUnderTest, startRegistry } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';
const nowhere = '01a20000-0000-7000-8000-000000000000';

describe('reading promotions', () => {
  let api: ApiUnderTest;
  let registry: RegistryUnderTest;
  let ofTeamA: string;
  /** Ids by repository, in the order of their making. */
  const made: { readonly id: string; readonly repository: string }[] = [];
  let digest: string;

  async function promote(...repositories: string[]): Promise<string> {
    const items = repositories.map((repository) => ({ source: `ci-snapshots/${repository}:1.0.0` }));
    const { id } = (await api.post(path, { path: 'release', items })).body as AcceptedPromotion;
    made.push({ id, repository: repositories.join() });
    return id;
  }

  beforeAll(async () => {
    [api, registry] = await Promise.all([startApi(), startRegistry()]);
    digest = (await registry.push('team-a/app', '1.0.0')).manifest.digest;
    await registry.push('team-b/app', '1.0.0');
    await applyRelease(api, { 'ci-snapshots': registry.url, prod: registry.url, 'prod-us': registry.url });
    ofTeamA = await api.keyWith([{ verbs: ['promotions:read', 'artifacts:read'], paths: ['release'], repositories: ['team-a/**'] }]);
    for (const repositories of [['team-a/app'], ['team-b/app'], ['team-b/app'], ['team-a/app', 'team-b/app'], ['team-a/app']]) {
      await promote(...repositories);
    }
  });
  afterAll(async () => {
    await Promise.all([api.stop(), registry.stop()]);
  });

  const idsOf = (repository: string) =>
    made
      .filter((one) => one.repository === repository)
      .map(({ id }) => id)
      .reverse();

  async function listed(key: string, limit: number): Promise<{ ids: string[]; pages: number }> {
    const ids: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const query = `limit=${limit}${cursor === undefined ? '' : `&cursor=${cursor}`}`;
      const { promotions, next } = (await api.send('GET', `${path}?${query}`, { key })).body as PromotionList;
      ids.push(...promotions.map(({ id }) => id));
      cursor = next;
      pages += 1;
    } while (cursor !== undefined);
    return { ids, pages };
  }

  it('shows one with its items, targets and tags', async () => {
    const id = made[0]?.id ?? '';
    const shown = (await api.send('GET', `${path}/${id}`)).body as Promotion;

    expect(shown).toMatchObject({ id, path: 'release', state: 'requested', settled: false, labels: {} });
    expect(shown.items[0]).toMatchObject({ digest, source: { repository: 'team-a/app', tag: '1.0.0' } });
    expect(shown.items[0]?.targets.map((target) => [target.registry, target.state, target.attempts])).toEqual([
      ['prod', 'pending', 0],
      ['prod-us', 'pending', 0],
    ]);
  });

  it.each(['unknown', nowhere, '%00', 'a/../b', "' OR 1=1"])('knows no promotion %j', async (id) => {
    expect(problemIn(await api.send('GET', `${path}/${encodeURIComponent(id)}`))).toMatchObject({ status: 404, code: 'promotion-unknown' });
  });

  it('tells nobody whether a promotion that the key may not read is there', async () => {
    const hidden = idsOf('team-b/app')[0] ?? '';
    const [ofHidden, ofNone] = await Promise.all(
      [hidden, nowhere].map(async (id) => problemIn(await api.send('GET', `${path}/${id}`, { key: ofTeamA }))),
    );

    expect(ofHidden).toMatchObject({ status: 404, code: 'promotion-unknown' });
    expect({ ...ofHidden, detail: ofHidden?.detail?.replace(hidden, ''), instance: '' }).toEqual({
      ...ofNone,
      detail: ofNone?.detail?.replace(nowhere, ''),
      instance: '',
    });
  });

  it('hides a promotion of which the key may read only one item', async () => {
    const mixed = idsOf('team-a/app,team-b/app')[0] ?? '';

    expect(problemIn(await api.send('GET', `${path}/${mixed}`, { key: ofTeamA }))).toMatchObject({ status: 404 });
  });

  it('needs the verb', async () => {
    const key = await api.keyWith(allBut('promotions:read'));

    for (const target of [path, `${path}/${nowhere}`]) {
      expect(problemIn(await api.send('GET', target, { key }))).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it('lists newest first, page after page, each once', async () => {
    const all = made.map(({ id }) => id).reverse();

    expect(await listed(api.adminKey, 2)).toEqual({ ids: all, pages: 3 });
    expect(await listed(api.adminKey, 50)).toEqual({ ids: all, pages: 1 });
  });

  it('lists what the key may read, and fills its pages', async () => {
    expect(await listed(ofTeamA, 1)).toEqual({ ids: idsOf('team-a/app'), pages: 3 });
    expect((await listed(await api.keyWith([{ verbs: ['promotions:read'], paths: ['other'], repositories: ['**'] }]), 2)).ids).toEqual([]);
  });

  it('keeps its place while new promotions arrive', async () => {
    const before = made.map(({ id }) => id).reverse();
    const first = (await api.send('GET', `${path}?limit=2`)).body as PromotionList;
    await promote('team-a/app');
    const second = (await api.send('GET', `${path}?limit=2&cursor=${first.next ?? ''}`)).body as PromotionList;

    expect([...first.promotions, ...second.promotions].map(({ id }) => id)).toEqual(before.slice(0, 4));
  });

  const cursorOf = (position: string) => Buffer.from(position).toString('base64url');
  it.each([
    ['limit=0', '/limit'],
    ['limit=201', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=many', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['cursor=', '/cursor'],
    ['cursor=7', '/cursor'],
    [`cursor=${cursorOf('7')}`, '/cursor'],
    [`cursor=${cursorOf('-'.repeat(36))}`, '/cursor'],
    [`cursor=${cursorOf(nowhere)}=`, '/cursor'],
    [`cursor=${cursorOf(nowhere)}&cursor=${cursorOf(nowhere)}`, '/cursor'],
    [`cursor=${'x'.repeat(201)}`, '/cursor'],
    ['curser=x', '/curser'],
  ])('refuses the page %s', async (query, pointer) => {
    expect(problemIn(await api.send('GET', `${path}?${query}`))).toMatchObject({
      status: 422,
      code: 'request-invalid',
      errors: [{ pointer }],
    });
  });

  describe('and what was recorded about a digest', () => {
    const about = (of: string, query = '') => `/api/v1/artifacts/${of}/provenance${query}`;

    it('gives decisions oldest first, chained once the sequencer has been there', async () => {
      const fresh = (await api.send('GET', about(digest))).body as Provenance;
      await api.app.get(ProvenanceChain).linkPending();
      const linked = (await api.send('GET', about(digest))).body as Provenance;

      expect(fresh.entries.map(({ kind, promotionId }) => [kind, promotionId])).toEqual(
        linked.entries.map((entry) => [entry.kind, entry.promotionId]),
      );
      expect(fresh.entries[0]).not.toHaveProperty('chain');
      expect(linked.entries[0]?.chain).toMatchObject({ hash: expect.stringMatching(/^[0-9a-f]{64}$/), previousHash: expect.any(String) });
      expect(linked.entries[0]).toMatchObject({
        kind: 'decision',
        promotionId: made[0]?.id,
        subject: digest,
        body: { decision: 'requested' },
        by: { id: expect.any(String), name: 'admin' },
      });
    });

    it('gives it page after page, each once', async () => {
      const whole = (await api.send('GET', about(digest))).body as Provenance;
      const entries: unknown[] = [];
      let next: string | undefined = '';
      while (next !== undefined) {
        const page = (await api.send('GET', about(digest, `?limit=2${next === '' ? '' : `&cursor=${next}`}`))).body as Provenance;
        entries.push(...page.entries);
        next = page.next;
      }

      expect(entries).toEqual(whole.entries);
    });

    it('gives only what belongs to promotions that the key may read', async () => {
      const { entries } = (await api.send('GET', about(digest), { key: ofTeamA })).body as Provenance;

      expect(new Set(entries.map(({ promotionId }) => promotionId))).toEqual(new Set(idsOf('team-a/app')));
      expect(JSON.stringify(entries)).not.toContain('team-b');
    });

    it('is empty for a digest that nobody promoted', async () => {
      const digests = [`sha256:${'0'.repeat(64)}`, `sha512:${'0'.repeat(128)}`];

      for (const of of digests) expect((await api.send('GET', about(of))).body).toEqual({ digest: of, entries: [] });
    });

    it.each(['latest', 'sha256:abc', `sha256:${'A'.repeat(64)}`, `md5:${'0'.repeat(32)}`, '%00'])('refuses the digest %j', async (of) => {
      expect(problemIn(await api.send('GET', about(of)))).toMatchObject({ status: 422, code: 'digest-invalid' });
    });

    it.each([`cursor=${cursorOf(nowhere)}`, `cursor=${cursorOf('-1')}`, `cursor=${cursorOf('9'.repeat(19))}`, 'limit=0'])(
      'refuses the page %s',
      async (query) => {
        expect(problemIn(await api.send('GET', about(digest, `?${query}`)))).toMatchObject({ status: 422, code: 'request-invalid' });
      },
    );

    it('needs the verb', async () => {
      const key = await api.keyWith(allBut('artifacts:read'));

      expect(problemIn(await api.send('GET', about(digest), { key }))).toMatchObject({ status: 403, code: 'forbidden' });
    });
  });

  it('has nothing to say of an address that it does not know', async () => {
    expect(problemIn(await api.send('GET', '/api/v1/nothing'))).toMatchObject({ status: 404, code: 'not-found' });
    expect(problemIn(await api.send('PATCH', path, { body: promotionOf() }))).toMatchObject({ status: 404, code: 'not-found' });
    expect(problemIn(await api.send('GET', '/api/v1/promotions/%zz'))).toMatchObject({ status: 400, code: 'malformed-request' });
  });
});
