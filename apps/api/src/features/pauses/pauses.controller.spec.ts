import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Grant } from '@waybill/access';
import type { Pause, PauseList } from '@waybill/contracts/http';
import { allBut, type Answer, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/pauses';
const release = { scope: 'path', name: 'release', reason: 'release freeze' };

describe('pauses', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const pauseIn = (answer: Answer) => answer.body as Pause;
  const open = async () => ((await api.send('GET', path)).body as PauseList).pauses;
  const resume = (id: string, body: unknown = {}, key?: string) =>
    api.send('POST', `${path}/${id}/resume`, { body, ...(key === undefined ? {} : { key }) });

  async function resumeAll(): Promise<void> {
    for (const { id } of await open()) await resume(id);
  }

  it('of names need a topology; one of everything needs none', async () => {
    expect(problemIn(await api.post(path, release))).toMatchObject({ status: 409, code: 'no-topology' });
    expect((await api.post(path, { scope: 'global', reason: 'moving' })).status).toBe(201);
    await resumeAll();
  });

  describe('of a topology', () => {
    beforeAll(async () => {
      await api.send('PUT', '/api/v1/topology', { body: { source: releaseTopology } });
    });

    it('are made, found and ended, and say who wanted what, and why', async () => {
      const made = await api.post(path, release);
      const pause = pauseIn(made);
      expect(made.status).toBe(201);
      expect(made.headers.get('location')).toBe(`${path}/${pause.id}`);
      expect(pause).toMatchObject(release);
      expect(pause).not.toHaveProperty('resumedAt');
      expect(pauseIn(await api.send('GET', `${path}/${pause.id}`))).toEqual(pause);
      expect(await open()).toEqual([pause]);

      const ended = await resume(pause.id, { reason: 'it is over' });

      expect(ended.status).toBe(200);
      expect(pauseIn(ended)).toMatchObject({ ...pause, resumedBy: pause.pausedBy, resumeReason: 'it is over' });
      expect(pauseIn(await resume(pause.id, { reason: 'again' }))).toEqual(pauseIn(ended));
      expect(await open()).toEqual([]);
      const all = (await api.send('GET', `${path}?state=all`)).body as PauseList;
      expect(all.pauses).toContainEqual(pauseIn(ended));
    });

    it('hold once: the same again is refused, another scope is not, and one key makes one', async () => {
      const headers = { 'idempotency-key': 'freeze' };
      const first = await api.post(path, release, { headers });

      expect((await api.post(path, release, { headers })).text).toBe(first.text);
      expect(problemIn(await api.post(path, release))).toMatchObject({
        status: 409,
        code: 'already-paused',
        detail: `path release is paused already, by pause ${pauseIn(first).id}`,
      });
      expect((await api.post(path, { scope: 'registry', name: 'prod', reason: 'disks' })).status).toBe(201);
      expect((await open()).map(({ name }) => name)).toEqual(['prod', 'release']);
      await resumeAll();
    });

    it('are listed page by page', async () => {
      for (const reason of ['one', 'two', 'three']) {
        await api.post(path, { scope: 'global', reason });
        await resumeAll();
      }

      const first = (await api.send('GET', `${path}?state=all&limit=2`)).body as PauseList;
      const rest = (await api.send('GET', `${path}?state=all&limit=200&cursor=${first.next ?? ''}`)).body as PauseList;

      expect(first.pauses.map(({ reason }) => reason)).toEqual(['three', 'two']);
      expect(rest.pauses[0]?.reason).toBe('one');
      expect(rest).not.toHaveProperty('next');
    });

    it.each<[string, object, number, string]>([
      ['a path that is unknown', { ...release, name: 'relase' }, 404, 'path-unknown'],
      ['a registry that is unknown', { scope: 'registry', name: 'prodd', reason: 'x' }, 404, 'registry-unknown'],
      ['a path without a name', { scope: 'path', reason: 'x' }, 422, 'request-invalid'],
      ['everything with a name', { scope: 'global', name: 'prod', reason: 'x' }, 422, 'request-invalid'],
      ['no reason', { scope: 'global' }, 422, 'request-invalid'],
      ['an empty reason', { scope: 'global', reason: '' }, 422, 'request-invalid'],
    ])('are refused for %s', async (_what, body, status, code) => {
      expect(problemIn(await api.post(path, body))).toMatchObject({ status, code });
      expect(await open()).toEqual([]);
    });

    it('are unknown under an id that nobody made', async () => {
      for (const id of ['nothing', '01900000-0000-7000-8000-000000000000']) {
        expect(problemIn(await api.send('GET', `${path}/${id}`))).toMatchObject({ status: 404, code: 'pause-unknown' });
        expect(problemIn(await resume(id))).toMatchObject({ status: 404, code: 'pause-unknown' });
      }
    });

    describe('and who may', () => {
      const manage = (grant: Partial<Grant>): Grant[] => [
        ...allBut('pauses:manage'),
        { verbs: ['pauses:manage'], paths: ['*'], repositories: ['**'], ...grant },
      ];
      const registry = { scope: 'registry', name: 'prod', reason: 'x' };
      const all = { scope: 'global', reason: 'x' };

      it.each<[string, Grant[], object, number]>([
        ['nobody without the verb', allBut('pauses:manage'), release, 403],
        ['a grant of the path: the path', manage({ paths: ['release'] }), release, 201],
        ['a grant of the path: not a registry', manage({ paths: ['release'] }), registry, 403],
        ['a grant of the path: not everything', manage({ paths: ['release'] }), all, 403],
        ['a grant of another path: not this one', manage({ paths: ['other'] }), release, 403],
        ['a grant of some repositories: nothing', manage({ repositories: ['team-a/**'] }), release, 403],
        ['a grant of all paths: a registry', manage({}), registry, 201],
        ['a grant of all paths: everything', manage({}), all, 201],
      ])('%s', async (_what, grants, body, status) => {
        const key = await api.keyWith(grants);

        expect((await api.post(path, body, { key })).status).toBe(status);

        await resumeAll();
      });

      it('ends what it could have made', async () => {
        const pause = pauseIn(await api.post(path, registry));

        expect((await resume(pause.id, {}, await api.keyWith(manage({ paths: ['release'] })))).status).toBe(403);
        expect(await open()).toHaveLength(1);
        expect((await resume(pause.id, {}, await api.keyWith(manage({})))).status).toBe(200);
      });

      it('sees the pauses of paths that it may read, of registries and of everything', async () => {
        for (const body of [release, registry, all]) await api.post(path, body);
        const key = await api.keyWith([{ verbs: ['promotions:read'], paths: ['other'], repositories: ['**'] }]);

        const { pauses } = (await api.send('GET', path, { key })).body as PauseList;

        expect(pauses.map(({ scope }) => scope)).toEqual(['global', 'registry']);
        const [hidden] = (await open()).filter(({ scope }) => scope === 'path');
        expect(problemIn(await api.send('GET', `${path}/${hidden?.id ?? ''}`, { key }))).toMatchObject({ code: 'pause-unknown' });
        await resumeAll();
      });
    });
  });
});
