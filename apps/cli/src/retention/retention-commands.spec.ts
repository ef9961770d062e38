import { describe, expect, it } from '@jest/globals';
import type { Hold, InUseReporter, RetentionApproval, RetentionPolicy, RetentionRun } from '@waybill/contracts/http';
import { parseTag } from '@waybill/oci-model';
import { problem, promotionId as id, scriptedApi, waybill } from '../scripted-api.spec-helper.js';
import { parseHeldArtifact } from './held-artifact.js';

const root = '/api/v1/retention';
const since = '2026-05-01T10:00:00Z';
const digest = `sha256:${'ab'.repeat(32)}` as Hold['digest'] & string;
const runId = '01920000-0000-7000-8000-0000000000bb';

const policy: RetentionPolicy = {
  ...{ name: 'nightly', registry: 'ci', revision: 3, mode: 'dryRun', hash: 'cd'.repeat(32), declared: {} },
  nextDueAt: '2026-05-02T03:00:00Z',
  plannedRun: runId,
};
const run: RetentionRun = {
  ...{
    id: runId,
    policy: 'nightly',
    registry: 'ci',
    revision: 3,
    hash: 'cd'.repeat(32),
    declared: {},
    trigger: 'manual',
    detail: 'removals',
  },
  ...{ mode: 'dryRun', state: 'succeeded', planHash: 'ef'.repeat(32), requestedAt: since, finishedAt: since },
  ...{ repositories: 2, artifacts: 10, removals: 3, unknown: 1, bytesAtMost: 2048, deleted: 0, spared: 0, failed: 0 },
};
const approval: RetentionApproval = {
  ...{ id, policy: 'nightly', registry: 'ci', hash: policy.hash, run: runId, reason: 'looked', approvedBy: id, approvedAt: since },
};
const hold: Hold = {
  id,
  scope: 'tag',
  registry: 'prod',
  repository: 'team-a/app',
  tag: parseTag('1.0.0'),
  reason: 'audit',
  placedBy: id,
  placedAt: since,
};

describe('waybill retention status', () => {
  const list = `GET ${root}/policies`;

  it('lists the policies, when they run, and whether they are approved', async () => {
    const others: RetentionPolicy[] = [
      { ...policy, name: 'paused', pause: { by: id, at: since, reason: 'audit' } },
      { ...policy, name: 'retired', retiredAt: since, approval: { id, by: id, at: since, reason: 'looked' } },
    ];
    const api = await scriptedApi({ [list]: { body: { policies: [policy, ...others] } } });

    const { status, stdout } = await waybill(['retention', 'status', '--history', '--limit', '5'], { api: api.url });

    expect(status).toBe(0);
    expect(Object.fromEntries(api.asked[0]?.query ?? [])).toEqual({ state: 'all', limit: '5' });
    expect(stdout).toMatch(new RegExp(`^nightly +ci +dryRun +2026-05-02T03:00:00Z +no +${runId}$`, 'm'));
    expect(stdout).toMatch(/^paused .* when it is resumed +no /m);
    expect(stdout).toMatch(/^retired .* never: it has left the topology +yes /m);
  });

  it('shows one with its newest plan', async () => {
    const lastTick = { at: since, outcome: 'overlap' } as const;
    const shown: RetentionPolicy = { ...policy, lastTick, pause: { by: id, at: since, reason: 'audit' }, openRun: id };
    const api = await scriptedApi({ [`${list}/nightly`]: { body: shown }, [`GET ${root}/runs/${runId}`]: { body: run } });

    const { stdout } = await waybill(['retention', 'status', 'nightly'], { api: api.url });

    expect(stdout).toContain('policy nightly of ci: dryRun, as of revision 3 (cdcdcdcdcdcd)\n');
    expect(stdout).toContain(`paused by ${id} since ${since}: audit\n`);
    expect(stdout).toContain(`made no run at ${since}: a run was under way\n`);
    expect(stdout).toContain('these words are not approved: it only plans\n');
    expect(stdout).toContain(
      '3 of 10 artifacts in 2 repositories would go, at most 2.0 KiB; 1 manifests are kept because something is not known\n',
    );
  });

  it('says that there is none, and gives programs what the API says', async () => {
    const api = await scriptedApi({ [list]: { body: { policies: [] } }, [`${list}/nightly`]: { body: policy } });

    expect((await waybill(['retention', 'status'], { api: api.url })).stdout).toBe('the topology declares no policy of retention\n');
    expect(JSON.parse((await waybill(['retention', 'status', 'nightly', '--json'], { api: api.url })).stdout)).toEqual(policy);
  });
});

describe('waybill retention marks', () => {
  const acting: RetentionRun = {
    ...run,
    mode: 'enforce',
    state: 'grace',
    deleted: 2,
    spared: 1,
    failed: 0,
    resumeAt: '2026-05-02T10:00:00Z',
  };
  const mark = { repository: 'team-a/app', digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', markedAt: since, dueAt: since };
  const marks = [
    { ...mark, state: 'marked' },
    { ...mark, state: 'spared', settledAt: since, reason: { code: 'tag-kept', message: 'the tag v1 names it' } },
    { ...mark, state: 'deleted', settledAt: since },
  ];

  it('shows how far a run has come, and what became of what it marked', async () => {
    const routes = {
      [`GET ${root}/runs/${runId}`]: { body: acting },
      [`GET ${root}/runs/${runId}/marks`]: { body: { marks, next: 'more' } },
    };
    const api = await scriptedApi(routes);

    const { status, stdout } = await waybill(['retention', 'marks', runId, '--repository', 'team-a/app', '--limit', '3'], { api: api.url });

    expect(status).toBe(0);
    expect(Object.fromEntries(api.asked[1]?.query ?? [])).toEqual({ repository: 'team-a/app', limit: '3' });
    expect(stdout).toContain('what is marked waits until 2026-05-02T10:00:00Z\n2 deleted, 1 spared, 0 failed\n');
    expect(stdout).toMatch(new RegExp(`^marked +team-a/app@\\S+ +due ${since}$`, 'm'));
    expect(stdout).toMatch(/^spared +team-a\/app@\S+ +tag-kept: the tag v1 names it$/m);
    expect(stdout).toContain('not all are shown: see --limit and --repository\n');
    expect(JSON.parse((await waybill(['retention', 'marks', runId, '--json'], { api: api.url })).stdout)).toEqual({
      ...{ run: acting, marks, next: 'more' },
    });
  });

  it('lets one plan go beyond its limits, and asks for one of the two', async () => {
    const approved = { ...acting, state: 'planned', planApproval: { by: id, at: since, reason: 'once' } };
    const api = await scriptedApi({ [`POST ${root}/runs/${runId}/approve`]: { body: approved } });

    const { status, stdout } = await waybill(['retention', 'approve', '--run', runId, '--reason', 'once'], { api: api.url });
    const neither = await waybill(['retention', 'approve', '--reason', 'once'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]?.body).toEqual({ reason: 'once' });
    expect(stdout).toContain(`let beyond its limits by ${id} at ${since}: once\n`);
    expect(neither).toMatchObject({ status: 2, stderr: expect.stringContaining('name the policy to approve') });
  });
});

describe('waybill retention plan', () => {
  const repositories = [
    {
      repository: 'team-a/app',
      state: 'planned',
      artifacts: 9,
      removals: 3,
      unknown: 1,
      bytesAtMost: 2048,
      kept: { hold: 2, 'no-rule': 4 },
      ...{ deleted: 0, spared: 0, failed: 0 },
    },
  ];
  const decisions = [
    {
      ...{ repository: 'team-a/app', digest, tag: 'br-1', verdict: 'delete', unknown: false, bytes: 0 },
      reasons: [{ code: 'removed-by-rule', policy: 'nightly', rule: 'old', more: 2 }],
    },
    {
      ...{ repository: 'team-a/app', digest, verdict: 'archive', archiveTo: ['archive'], unknown: false, bytes: 1024 },
      reasons: [{ code: 'child-of-removed', digest }],
    },
  ];
  const routes = {
    [`GET ${root}/runs/${runId}`]: { body: { ...run, exceeded: [{ limit: 'maxDeletePercent', allowed: 20, planned: 30 }] } },
    [`GET ${root}/runs/${runId}/repositories`]: { body: { repositories, next: 'more' } },
    [`GET ${root}/runs/${runId}/decisions`]: { body: { decisions } },
  };

  it('asks for a dry run, waits for its end, and shows what would go and why', async () => {
    const open = { ...run, state: 'planning', finishedAt: undefined };
    const api = await scriptedApi({ ...routes, [`POST ${root}/runs`]: { status: 202, body: open } });

    const { status, stdout } = await waybill(['retention', 'plan', 'nightly', '--keeps'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]).toMatchObject({
      body: { policy: 'nightly', dryRun: true, detail: 'all' },
      headers: { 'idempotency-key': expect.any(String) },
    });
    expect(stdout).toContain(`run ${runId} of nightly at ci: succeeded, a dry run (manual, ${since})\n`);
    expect(stdout).toContain('beyond maxDeletePercent: 30 where 20 is allowed; as it stands nothing would be removed\n');
    expect(stdout).toMatch(/^team-a\/app +planned +9 +3 +2\.0 KiB +4 no-rule, 2 hold$/m);
    expect(stdout).toContain('not all are shown: see --limit\n');
    expect(stdout).toMatch(/^delete +team-a\/app:br-1 +removed-by-rule \(nightly\/old\) and 2 more$/m);
    expect(stdout).toMatch(/^archive to archive +team-a\/app@sha256:abababababab +1\.0 KiB +child-of-removed \(sha256:abababababab\)$/m);
  });

  it('shows the plan of an earlier run, of one repository', async () => {
    const api = await scriptedApi(routes);

    const { stdout } = await waybill(['retention', 'plan', 'nightly', '--run', runId, '--repository', 'team-a/app', '--json'], {
      api: api.url,
    });

    expect(api.asked.map(({ route }) => route)).not.toContain(`POST ${root}/runs`);
    expect(api.asked.at(-1)?.query.get('repository')).toBe('team-a/app');
    expect(JSON.parse(stdout)).toMatchObject({ run: { id: runId }, repositories, decisions });
  });

  it.each([
    ['partial', 3],
    ['failed', 1],
    ['cancelled', 6],
  ] as const)('tells by its exit status that the run %s', async (state, expected) => {
    const error = { code: 'registry-replaced', message: 'it is another one', retryable: false };
    const empty = {
      [`GET ${root}/runs/${runId}/repositories`]: { body: { repositories: [] } },
      [`GET ${root}/runs/${runId}/decisions`]: { body: { decisions: [] } },
    };
    const api = await scriptedApi({ ...empty, [`GET ${root}/runs/${runId}`]: { body: { ...run, state, error } } });

    const { status, stdout } = await waybill(['retention', 'plan', 'nightly', '--run', runId], { api: api.url });

    expect(status).toBe(expected);
    expect(stdout).toContain('registry-replaced: it is another one\n');
  });

  it('fails with what the API says', async () => {
    const detail = `policy nightly has a run under way: ${runId}`;
    const api = await scriptedApi({
      [`POST ${root}/runs`]: problem({ status: 409, code: 'run-unfinished', title: 'A run is under way', detail }),
    });

    expect(await waybill(['retention', 'plan', 'nightly'], { api: api.url })).toMatchObject({ status: 1, stderr: `waybill: ${detail}\n` });
  });
});

describe('waybill retention run, history and cancel', () => {
  const create = `POST ${root}/runs`;

  it('asks for a run, or waits for it', async () => {
    const api = await scriptedApi({
      [create]: { status: 202, body: { ...run, state: 'planning', finishedAt: undefined } },
      [`GET ${root}/runs/${runId}`]: { body: run },
    });

    const asked = await waybill(['retention', 'run', 'nightly', '--reason', 'disk'], { api: api.url });
    const waited = await waybill(['retention', 'run', 'nightly', '--wait', '--json'], { api: api.url });

    expect(api.asked[0]?.body).toEqual({ policy: 'nightly', reason: 'disk' });
    expect(asked).toMatchObject({ status: 0, stdout: `run ${runId} is asked for; see: waybill retention plan nightly --run ${runId}\n` });
    expect(JSON.parse(waited.stdout)).toEqual(run);
  });

  it('lists runs, newest first', async () => {
    const api = await scriptedApi({ [`GET ${root}/runs`]: { body: { runs: [run], next: 'more' } } });

    const { stdout } = await waybill(['retention', 'history', 'nightly', '--limit', '1'], { api: api.url });

    expect(Object.fromEntries(api.asked[0]?.query ?? [])).toEqual({ policy: 'nightly', limit: '1' });
    expect(stdout).toMatch(new RegExp(`^${runId} +nightly +ci +dryRun +succeeded +${since} +3 +2\\.0 KiB +–$`, 'm'));
    expect(stdout).toContain('only the newest are shown');
  });

  it('says that nothing has run, and ends what is under way', async () => {
    const cancelled = { ...run, state: 'cancelled' };
    const api = await scriptedApi({
      [`GET ${root}/runs`]: { body: { runs: [] } },
      [`POST ${root}/runs/${runId}/cancel`]: { body: cancelled },
    });

    expect((await waybill(['retention', 'history'], { api: api.url })).stdout).toBe('no policy of retention has run yet\n');
    expect((await waybill(['retention', 'cancel', runId, '--reason', 'x'], { api: api.url })).stdout).toBe(
      `run ${runId} of nightly: cancelled\n`,
    );
  });
});

describe('waybill retention approve and revoke', () => {
  const read = `GET ${root}/policies/nightly`;
  const approve = `POST ${root}/approvals`;

  it('approves the newest plan of the policy as it is, and shows it', async () => {
    const api = await scriptedApi({
      [read]: { body: policy },
      [approve]: { status: 201, body: approval },
      [`GET ${root}/runs/${runId}`]: { body: run },
    });

    const { status, stdout } = await waybill(['retention', 'approve', 'nightly', '--reason', 'looked'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked.find(({ route }) => route === approve)?.body).toEqual({ policy: 'nightly', run: runId, reason: 'looked' });
    expect(stdout).toContain('3 of 10 artifacts');
    expect(stdout).toContain('policy nightly is approved in these words (cdcdcdcdcdcd); any other needs another approval\n');
  });

  it('approves nothing that has no plan, and takes back nothing that is not approved', async () => {
    const api = await scriptedApi({ [read]: { body: { ...policy, plannedRun: undefined } } });

    const approved = await waybill(['retention', 'approve', 'nightly', '--reason', 'x'], { api: api.url });
    const revoked = await waybill(['retention', 'revoke', 'nightly'], { api: api.url });

    expect(approved).toMatchObject({ status: 1, stderr: expect.stringContaining('waybill retention plan nightly') });
    expect(revoked).toMatchObject({ status: 1, stderr: 'waybill: policy nightly is not approved as it is\n' });
  });

  it('takes the approval of the policy as it is back', async () => {
    const approved = { ...policy, approval: { id, by: id, at: since, reason: 'looked' } };
    const api = await scriptedApi({ [read]: { body: approved }, [`POST ${root}/approvals/${id}/revoke`]: { body: approval } });

    const { status } = await waybill(['retention', 'revoke', 'nightly', '--reason', 'no'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked.at(-1)?.body).toEqual({ reason: 'no' });
  });
});

describe('waybill retention pause and resume', () => {
  it('hold a policy still, and let it go on', async () => {
    const path = `POST ${root}/policies/nightly`;
    const api = await scriptedApi({ [`${path}/pause`]: { body: policy }, [`${path}/resume`]: { body: policy } });

    const paused = await waybill(['retention', 'pause', 'nightly', '--reason', 'audit'], { api: api.url });
    const resumed = await waybill(['retention', 'resume', 'nightly'], { api: api.url });

    expect(api.asked.map(({ body }) => body)).toEqual([{ reason: 'audit' }, {}]);
    expect(paused.stdout).toBe('policy nightly is paused: end it with waybill retention resume nightly\n');
    expect(resumed.stdout).toBe('policy nightly goes on, next at 2026-05-02T03:00:00Z\n');
    expect(await waybill(['retention', 'pause', 'nightly'], { api: api.url })).toMatchObject({ status: 2 });
  });
});

describe('waybill retention hold, release and holds', () => {
  it.each<[string, object | undefined]>([
    [digest, { scope: 'digest', digest }],
    ['prod/team-a/app', { scope: 'repository', registry: 'prod', repository: 'team-a/app' }],
    ['*/team-a/app', { scope: 'repository', repository: 'team-a/app' }],
    ['prod/team-a/app:1.0.0', { scope: 'tag', registry: 'prod', repository: 'team-a/app', tag: '1.0.0' }],
    [`prod/app@${digest}`, { scope: 'digest', registry: 'prod', repository: 'app', digest }],
    ['app', undefined],
    ['/app', undefined],
    ['prod/', undefined],
    ['prod/:1.0.0', undefined],
    ['prod/app:', undefined],
    ['prod/app@sha256:12', undefined],
  ])('read %s', (text, expected) => {
    expect(parseHeldArtifact(text)).toEqual(expected);
  });

  it('place a hold, until a time if one is named', async () => {
    const api = await scriptedApi({ [`POST ${root}/holds`]: { status: 201, body: hold } });
    const args = ['retention', 'hold', 'prod/team-a/app:1.0.0', '--reason', 'audit', '--expires', '2026-12-31T00:00:00Z'];

    const { status, stdout } = await waybill(args, { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]?.body).toMatchObject({ scope: 'tag', tag: '1.0.0', reason: 'audit', expiresAt: '2026-12-31T00:00:00.000Z' });
    expect(stdout).toBe(`prod/team-a/app:1.0.0 is held: end it with waybill retention release ${id}\n`);
  });

  it.each<[string, readonly string[]]>([
    ['nothing that could be held', ['app', '--reason', 'x']],
    ['no reason', ['prod/app']],
    ['a time that is none', ['prod/app', '--reason', 'x', '--expires', 'tomorrow']],
  ])('are used wrongly with %s', async (_what, args) => {
    expect(await waybill(['retention', 'hold', ...args])).toMatchObject({ status: 2 });
  });

  it('list what is held, and end a hold', async () => {
    const everywhere: Hold = { ...hold, scope: 'digest', registry: undefined, repository: undefined, tag: undefined, digest };
    const api = await scriptedApi({
      [`GET ${root}/holds`]: { body: { holds: [hold, everywhere] } },
      [`POST ${root}/holds/${id}/release`]: { body: hold },
    });

    const { stdout } = await waybill(['retention', 'holds'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`^${id} +prod/team-a/app:1\\.0\\.0 +${since} +– +audit$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${id} +${digest} `, 'm'));
    expect((await waybill(['retention', 'release', id], { api: api.url })).stdout).toBe(
      `prod/team-a/app:1.0.0 is no longer held by ${id}\n`,
    );
  });

  it('say that there is none', async () => {
    const api = await scriptedApi({ [`GET ${root}/holds`]: { body: { holds: [] } } });

    expect((await waybill(['retention', 'holds'], { api: api.url })).stdout).toBe('nothing is held\n');
    expect((await waybill(['retention', 'holds', '--history'], { api: api.url })).stdout).toBe('nothing was held yet\n');
  });
});

describe('waybill retention reporters and retire', () => {
  const reporter: InUseReporter = {
    ...{ name: 'cluster-a', kind: 'kubernetes', principal: id, covers: { registries: ['*'], repositories: ['team-a/**'] } },
    ...{ everySeconds: 300, state: 'silent', digests: 12, since, lastReportAt: since },
  };
  const path = '/api/v1/in-use/reporters';

  it('show who is silent, and say that nobody misses it', async () => {
    const api = await scriptedApi({
      [`GET ${path}`]: { body: { reporters: [reporter] } },
      [`POST ${path}/cluster-a/retire`]: { body: reporter },
    });

    const { stdout } = await waybill(['retention', 'reporters'], { api: api.url });
    const retired = await waybill(['retention', 'retire', 'cluster-a', '--reason', 'gone'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`^cluster-a +kubernetes +silent +12 +${since} +\\* / team-a/\\*\\*$`, 'm'));
    expect(api.asked.at(-1)?.body).toEqual({ reason: 'gone' });
    expect(retired.stdout).toBe('reporter cluster-a is retired: its silence means nothing until it reports again\n');
  });

  it('say that nobody reports', async () => {
    const api = await scriptedApi({ [`GET ${path}`]: { body: { reporters: [] } } });

    expect((await waybill(['retention', 'reporters'], { api: api.url })).stdout).toBe('nobody reports what runs\n');
  });
});
