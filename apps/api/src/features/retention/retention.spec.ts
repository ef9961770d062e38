import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Grant } from '@waybill/access';
import type {
  RetentionApproval,
  RetentionApprovalList,
  RetentionDecisions,
  RetentionMarks,
  RetentionPolicy,
  RetentionPolicyList,
  RetentionRun,
  RetentionRunList,
  RetentionRunRepositories,
} from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { digestToBytes } from '@waybill/oci-model';
import { Database } from '@waybill/persistence';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyTopology, digestNamed, planNext, retentionTopology } from './retention.spec-helper.js';

const policies = '/api/v1/retention/policies';
const runs = '/api/v1/retention/runs';
const approvals = '/api/v1/retention/approvals';

describe('retention', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  const read = async <Body>(path: string, key?: string) => (await api.send('GET', path, key === undefined ? {} : { key })).body as Body;
  const nightly = () => read<RetentionPolicy>(`${policies}/nightly`);
  const cancelOpen = async () => {
    const { openRun } = await nightly();
    if (openRun !== undefined) await api.send('POST', `${runs}/${openRun}/cancel`, { body: { reason: 'next test' } });
  };
  const run = async (body: object = {}) => (await api.post(runs, { policy: 'nightly', ...body })).body as RetentionRun;

  it('has no policies before a topology declares them', async () => {
    expect(await read(policies)).toEqual({ policies: [] });
    expect(problemIn(await api.send('GET', `${policies}/nightly`))).toMatchObject({ status: 404, code: 'policy-unknown' });
    expect(problemIn(await api.post(runs, { policy: 'nightly' }))).toMatchObject({ status: 404, code: 'policy-unknown' });
  });

  describe('of a topology', () => {
    beforeAll(() => applyTopology(api, retentionTopology()));
    beforeEach(cancelOpen);

    it('shows its policies, and when they run', async () => {
      const { policies: listed, next } = await read<RetentionPolicyList>(policies);

      expect(next).toBeUndefined();
      expect(listed).toMatchObject([
        { name: 'nightly', registry: 'ci-snapshots', mode: 'dryRun', nextDueAt: expect.stringContaining('T03:00:00') },
      ]);
      expect(listed[0]?.declared).toMatchObject({ graceMs: 86_400_000, rules: [{ name: 'old', action: 'delete' }] });
    });

    it('pauses and resumes a policy, and says who wanted that and why', async () => {
      const paused = await api.send('POST', `${policies}/nightly/pause`, { body: { reason: 'audit' } });

      expect(paused).toMatchObject({ status: 200, body: { pause: { reason: 'audit', by: expect.any(String) } } });
      const again = await api.send('POST', `${policies}/nightly/pause`, { body: { reason: 'again' } });
      expect(problemIn(again)).toMatchObject({ status: 409, code: 'policy-paused' });
      const resumed = await api.send('POST', `${policies}/nightly/resume`, { body: {} });
      expect(resumed.status).toBe(200);
      expect(resumed.body).not.toHaveProperty('pause');
      expect(problemIn(await api.send('POST', `${policies}/nightly/pause`, { body: {} }))).toMatchObject({ code: 'request-invalid' });
      expect(problemIn(await api.send('POST', `${policies}/weekly/resume`, { body: {} }))).toMatchObject({ code: 'policy-unknown' });
    });

    it('runs a policy now, once for each key, and refuses a second run', async () => {
      const headers = { 'idempotency-key': uuidV7.next() };
      const made = await api.post(runs, { policy: 'nightly', reason: 'try it' }, { headers });
      const { id } = made.body as RetentionRun;

      expect(made.status).toBe(202);
      expect(made.headers.get('location')).toBe(`${runs}/${id}`);
      expect(made.body).toMatchObject({ state: 'planning', mode: 'dryRun', trigger: 'manual', reason: 'try it' });
      expect((await api.post(runs, { policy: 'nightly', reason: 'try it' }, { headers })).text).toBe(made.text);
      expect(problemIn(await api.post(runs, { policy: 'nightly' }))).toMatchObject({
        status: 409,
        code: 'run-unfinished',
        detail: `policy nightly has a run under way: ${id}`,
      });
      expect(await nightly()).toMatchObject({ openRun: id });
      expect((await api.send('POST', `${runs}/${id}/cancel`, { body: {} })).body).toMatchObject({ state: 'cancelled' });
    });

    it('shows what a run decided, repository by repository and decision by decision', async () => {
      const { id } = await run();
      await planNext(api, { 'team-a/app': ['one', 'two'], 'team-b/app': ['three'] });

      expect(await read(`${runs}/${id}`)).toMatchObject({
        ...{ state: 'succeeded', removals: 3, artifacts: 18, bytesAtMost: 200, planHash: expect.any(String) },
        exceeded: [{ limit: 'maxDeletePercent', allowed: 20, planned: 25 }],
      });
      expect(await read(`${runs}/${id}/repositories`)).toMatchObject({
        repositories: [
          { repository: 'team-a/app', state: 'planned', removals: 2, kept: { 'no-rule': 8 } },
          { repository: 'team-b/app', removals: 1 },
        ],
      });
      const first = await read<RetentionDecisions>(`${runs}/${id}/decisions?limit=2`);
      const rest = await read<RetentionDecisions>(`${runs}/${id}/decisions?limit=2&cursor=${first.next ?? ''}`);
      expect(first.decisions[0]).toEqual({
        ...{ repository: 'team-a/app', digest: digestNamed('one'), verdict: 'delete', unknown: false, bytes: 7 },
        reasons: [{ code: 'removed-by-rule', policy: 'nightly', rule: 'old' }],
      });
      expect([...first.decisions, ...rest.decisions].map(({ digest }) => digest)).toEqual(['one', 'two', 'three'].map(digestNamed));
      expect(rest).not.toHaveProperty('next');
      const ofOne = await read<RetentionDecisions>(`${runs}/${id}/decisions?repository=team-b/app`);
      expect(ofOne.decisions).toHaveLength(1);
    });

    it('lists runs newest first, page by page', async () => {
      const ids: string[] = [];
      for (let at = 0; at < 3; at += 1) {
        ids.unshift((await run()).id);
        await cancelOpen();
      }

      const first = await read<RetentionRunList>(`${runs}?policy=nightly&limit=2`);
      const rest = await read<RetentionRunList>(`${runs}?policy=nightly&limit=1&cursor=${first.next ?? ''}`);

      expect([...first.runs, ...rest.runs].map(({ id }) => id)).toEqual(ids);
      expect(await read(`${runs}?policy=weekly`)).toEqual({ runs: [] });
      expect(problemIn(await api.send('GET', `${runs}?cursor=nonsense`))).toMatchObject({ code: 'request-invalid' });
    });

    it('lets a plan go beyond its limits, however often it is said, and shows what became of what it marked', async () => {
      const { id } = await run();
      const { tables } = api.app.get(Database);
      await tables.$executeRaw`UPDATE retention_run SET mode = 'enforce' WHERE id = ${id}::uuid`;
      await planNext(api, { 'team-a/app': ['one', 'two'] });
      expect(await read(`${runs}/${id}`)).toMatchObject({ state: 'waiting-approval' });

      const approved = await api.send('POST', `${runs}/${id}/approve`, { body: { reason: 'looked at it' } });

      expect(approved).toMatchObject({ status: 200, body: { state: 'planned', planApproval: { reason: 'looked at it' } } });
      const again = await api.send('POST', `${runs}/${id}/approve`, { body: { reason: 'again' } });
      expect(again).toMatchObject({ status: 200, body: approved.body as object });
      expect(await read(`${runs}/${id}/marks`)).toEqual({ marks: [] });
      for (const [position, name] of ['one', 'two'].entries()) {
        await tables.$executeRaw`
          INSERT INTO retention_mark (registry_id, repository, digest, run_id, position, media_type, manifest, due_at, state, settled_at, error)
          SELECT registry_id, 'team-a/app', ${digestToBytes(digestNamed(name))}, id, ${position}, 'application/vnd.oci.image.manifest.v1+json', 'raw', now(),
            'spared', now(), '{"code":"hold","message":"somebody holds it"}'
          FROM retention_run WHERE id = ${id}::uuid`;
      }
      const first = await read<RetentionMarks>(`${runs}/${id}/marks?limit=1`);
      const rest = await read<RetentionMarks>(`${runs}/${id}/marks?limit=1&repository=team-a/app&cursor=${first.next ?? ''}`);
      expect([...first.marks, ...rest.marks]).toMatchObject(
        ['one', 'two'].map((name) => ({
          digest: digestNamed(name),
          state: 'spared',
          reason: { code: 'hold', message: 'somebody holds it' },
        })),
      );
      expect((await read<RetentionMarks>(`${runs}/${id}/marks?repository=team-b/app`)).marks).toEqual([]);
      const key = await api.keyWith(allBut('retention:approve'));
      expect((await api.send('POST', `${runs}/${id}/approve`, { key, body: { reason: 'x' } })).status).toBe(403);
    });

    it('knows no run of a made-up id', async () => {
      for (const path of [`${runs}/nothing`, `${runs}/${uuidV7.next()}`, `${runs}/${uuidV7.next()}/decisions`]) {
        expect(problemIn(await api.send('GET', path))).toMatchObject({ status: 404, code: 'run-unknown' });
      }
      expect(problemIn(await api.send('POST', `${runs}/${uuidV7.next()}/cancel`, { body: {} }))).toMatchObject({ code: 'run-unknown' });
    });

    it('is approved on the strength of a plan of these very words', async () => {
      const { id } = await run();
      const approval = { policy: 'nightly', run: id, reason: 'looked at it' };
      expect(problemIn(await api.post(approvals, approval))).toMatchObject({ status: 409, code: 'plan-missing' });
      await planNext(api, { 'team-a/app': ['one'] });

      const made = await api.post(approvals, approval);

      expect(made.status).toBe(201);
      const { id: approvalId, hash } = made.body as RetentionApproval;
      expect(made.headers.get('location')).toBe(`${approvals}/${approvalId}`);
      expect(await nightly()).toMatchObject({ hash, plannedRun: id, approval: { id: approvalId, reason: 'looked at it' } });
      expect(problemIn(await api.post(approvals, approval))).toMatchObject({ status: 409, code: 'already-approved' });

      await applyTopology(api, retentionTopology({ grace: '48h' }));
      expect(await nightly()).not.toHaveProperty('approval');
      expect(problemIn(await api.post(approvals, approval))).toMatchObject({ status: 409, code: 'plan-outdated' });
      await applyTopology(api, retentionTopology());
      expect(await nightly()).toMatchObject({ approval: { id: approvalId } });

      const revoked = await api.send('POST', `${approvals}/${approvalId}/revoke`, { body: { reason: 'no' } });
      expect(revoked.body).toMatchObject({ revokeReason: 'no', revokedBy: expect.any(String) });
      expect(await nightly()).not.toHaveProperty('approval');
      expect(await read<RetentionApproval>(`${approvals}/${approvalId}`)).toEqual(revoked.body);
      expect((await read<RetentionApprovalList>(`${approvals}?policy=nightly`)).approvals).toEqual([revoked.body]);
      for (const unknown of ['nothing', uuidV7.next()]) {
        expect(problemIn(await api.send('GET', `${approvals}/${unknown}`))).toMatchObject({ code: 'approval-unknown' });
      }
      const ofNothing = { ...approval, run: uuidV7.next() };
      expect(problemIn(await api.post(approvals, ofNothing))).toMatchObject({ status: 404, code: 'run-unknown' });
    });

    it('keeps what left the topology, and runs it no more', async () => {
      await applyTopology(api, retentionTopology().replace('name: nightly', 'name: weekly'));

      expect((await read<RetentionPolicyList>(policies)).policies.map(({ name }) => name)).toEqual(['weekly']);
      expect((await read<RetentionPolicyList>(`${policies}?state=all&limit=1`)).next).toBeDefined();
      expect(await nightly()).toMatchObject({ retiredAt: expect.any(String) });
      expect(problemIn(await api.post(runs, { policy: 'nightly' }))).toMatchObject({ status: 409, code: 'policy-retired' });

      await applyTopology(api, retentionTopology());
    });

    describe('and who may', () => {
      const grant = (verb: Grant['verbs'][number], change: Partial<Grant> = {}): Grant[] => [
        ...allBut(verb),
        { verbs: [verb], paths: ['*'], repositories: ['**'], ...change },
      ];
      const narrow = { repositories: ['team-a/**'] };

      it.each<[string, Grant[], string, object, number]>([
        ['nobody runs without the verb', allBut('retention:run'), runs, { policy: 'nightly' }, 403],
        ['nobody runs with some repositories', grant('retention:run', narrow), runs, { policy: 'nightly' }, 403],
        ['nobody pauses with some repositories', grant('retention:run', narrow), `${policies}/nightly/pause`, { reason: 'x' }, 403],
        ['whoever may run all runs', grant('retention:run'), runs, { policy: 'nightly' }, 202],
        [
          'nobody approves without the verb',
          allBut('retention:approve'),
          approvals,
          { policy: 'nightly', run: uuidV7.next(), reason: 'x' },
          403,
        ],
        [
          'nobody approves with some',
          grant('retention:approve', narrow),
          approvals,
          { policy: 'nightly', run: uuidV7.next(), reason: 'x' },
          403,
        ],
      ])('%s', async (_what, grants, path, body, status) => {
        expect((await api.post(path, body, { key: await api.keyWith(grants) })).status).toBe(status);
      });

      it('sees decisions of repositories that it may read', async () => {
        const { id } = await run();
        await planNext(api, { 'team-a/app': ['one'], 'team-b/app': ['two'] });
        const key = await api.keyWith(grant('retention:read', narrow));

        const { decisions } = await read<RetentionDecisions>(`${runs}/${id}/decisions`, key);
        const { repositories } = await read<RetentionRunRepositories>(`${runs}/${id}/repositories`, key);

        expect(decisions.map(({ repository }) => repository)).toEqual(['team-a/app']);
        expect(repositories.map(({ repository }) => repository)).toEqual(['team-a/app']);
        expect((await api.send('GET', runs, { key: await api.keyWith(allBut('retention:read')) })).status).toBe(403);
      });
    });
  });
});
