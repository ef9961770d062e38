import { describe, expect, it } from '@jest/globals';
import type { RegistryCheck } from '@waybill/contracts/http';
import { unknownCapabilities } from '@waybill/oci-model';
import { problem, promotionId as id, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const ask = 'POST /api/v1/registry-checks';
const look = `GET /api/v1/registry-checks/${id}`;

type Checked = RegistryCheck['registries'][number];
type Report = NonNullable<Checked['report']>;

const accepted = { status: 202, body: { id, revision: 1, registries: [{ name: 'prod', location: 'eu' }] } };

const report: Report = {
  checkedAt: '2026-05-01T10:00:00Z',
  scope: 'write',
  probes: [
    { probe: 'reachable', outcome: 'ok', ms: 3 },
    { probe: 'clock', outcome: 'ok', ms: 0, note: '0 s apart' },
    { probe: 'read', outcome: 'ok', ms: 2 },
    { probe: 'push', outcome: 'ok', ms: 9 },
    { probe: 'referrersApi', outcome: 'ok', ms: 4, note: 'referrers are kept in tags' },
  ],
  capabilities: { ...unknownCapabilities, mount: true, referrersApi: false },
};
const refused: Report = {
  ...report,
  probes: [
    { probe: 'reachable', outcome: 'ok', ms: 3 },
    { probe: 'read', outcome: 'ok', ms: 2 },
    {
      probe: 'write',
      outcome: 'failed',
      ms: 2,
      code: 'denied',
      message: 'prod.example.com answered 403',
      advice: 'grant the account its right',
    },
    { probe: 'push', outcome: 'skipped', ms: 0, why: 'write gave no answer to build on' },
  ],
  capabilities: unknownCapabilities,
};

function checkOf(...registries: readonly Checked[]): RegistryCheck {
  const finished = registries.every(({ state }) => state === 'finished');
  return { id, revision: 1, requestedBy: id, requestedAt: '2026-05-01T10:00:00Z', finished, registries: [...registries] };
}

const good: Checked = { name: 'prod', location: 'eu', state: 'finished', report, unmet: [] };
const bad: Checked = { name: 'prod-us', location: 'us', state: 'finished', report: refused, unmet: ['write', 'push', 'pull'] };
const queued: Checked = { name: 'prod-us', location: 'us', state: 'queued' };

describe('waybill topology check', () => {
  it('asks about all registries, waits, and shows what each can', async () => {
    const answers = [checkOf({ ...good, state: 'running' }), checkOf(good)];
    const api = await scriptedApi({ [ask]: accepted, [look]: () => ({ body: answers.shift() ?? checkOf(good) }) });

    const { status, stdout } = await waybill(['topology', 'check'], { api: api.url });

    expect(status).toBe(0);
    expect(api.asked[0]).toMatchObject({ route: ask, body: {}, headers: { 'idempotency-key': expect.any(String) } });
    expect(api.asked).toHaveLength(3);
    expect(stdout).toMatch(/^registry +reached +read +write +referrers +mount /m);
    expect(stdout).toMatch(/^prod +ok +ok +ok +no +yes +- /m);
    expect(stdout).toContain('\nreferrersApi: referrers are kept in tags (prod)\n');
    expect(stdout).not.toContain('apart');
    expect(stdout).toMatch(/every registry grants what the topology needs\n$/);
  });

  it('asks about those that are named', async () => {
    const api = await scriptedApi({ [ask]: accepted, [look]: { body: checkOf(good) } });

    await waybill(['topology', 'check', 'prod', 'archive'], { api: api.url });

    expect(api.asked[0]?.body).toEqual({ registries: ['prod', 'archive'] });
  });

  it('fails where a need is not met, and says what to do', async () => {
    const api = await scriptedApi({ [ask]: accepted, [look]: { body: checkOf(good, bad) } });

    const { status, stdout } = await waybill(['topology', 'check'], { api: api.url });

    expect(status).toBe(1);
    expect(stdout).toMatch(/^prod-us +ok +ok +- +- /m);
    expect(stdout).toContain('prod-us: write failed: prod.example.com answered 403\n  → grant the account its right\n');
    expect(stdout).toMatch(/prod-us does not grant what the topology needs: write, push, pull\n$/);
  });

  it('says of a failure that it is in the way of nothing', async () => {
    const unneeded: Checked = { ...bad, name: 'hub', unmet: [] };
    const api = await scriptedApi({ [ask]: accepted, [look]: { body: checkOf(good, unneeded) } });

    const { status, stdout } = await waybill(['topology', 'check'], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toMatch(/every registry grants what the topology needs\nno path and no replication needs what failed: hub\n$/);
  });

  it('says what was not looked at, and why', async () => {
    const error = { code: 'unreachable', message: 'local registry prod-us is not running: start it with "waybill up"' };
    const readOnly: Checked = {
      ...good,
      name: 'hub',
      report: { ...report, scope: 'read', readOnlyBecause: 'the topology gives no write credentials' },
    };
    const failed: Checked = { name: 'prod-us', location: 'us', state: 'finished', error, unmet: ['reachable'] };
    const api = await scriptedApi({ [ask]: accepted, [look]: { body: checkOf(readOnly, failed) } });

    const { status, stdout } = await waybill(['topology', 'check'], { api: api.url });

    expect(status).toBe(1);
    expect(stdout).toContain('only reading was checked: the topology gives no write credentials (hub)');
    expect(stdout).toContain('prod-us: local registry prod-us is not running');
  });

  it('gives programs the whole check', async () => {
    const api = await scriptedApi({ [ask]: accepted, [look]: { body: checkOf(good, bad) } });

    const { status, stdout } = await waybill(['topology', 'check', '--json'], { api: api.url });

    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual(checkOf(good, bad));
  });

  it('ends when its time is over, and says what is left', async () => {
    const api = await scriptedApi({ [ask]: accepted, [look]: { body: checkOf(good, queued) } });

    const { status, stdout } = await waybill(['topology', 'check', '--timeout', '1'], { api: api.url });

    expect(status).toBe(5);
    expect(stdout).toMatch(/not looked at yet: prod-us\n$/);
  });

  it('asks again when the API is away for a moment', async () => {
    const away = problem({ status: 503, code: 'unavailable', title: 'A part of Waybill is down' });
    const answers = [away, { body: checkOf(good) }];
    const api = await scriptedApi({ [ask]: accepted, [look]: () => answers.shift() ?? away });

    expect((await waybill(['topology', 'check'], { api: api.url })).status).toBe(0);
  });

  it('ends when its time is over, also while the API is away', async () => {
    const away = problem({ status: 503, code: 'unavailable', title: 'A part of Waybill is down' });
    const api = await scriptedApi({ [ask]: accepted, [look]: away });

    const { status, stderr } = await waybill(['topology', 'check', '--timeout', '1'], { api: api.url });

    expect(status).toBe(5);
    expect(stderr).toContain(`the API did not answer for 1 s: check ${id} goes on without us`);
  });

  it('shows what the API refuses, with near names', async () => {
    const unknown = { status: 404, code: 'registry-unknown', title: 'the topology has no registry "prodd"', near: ['prod'] };
    const api = await scriptedApi({ [ask]: problem(unknown) });

    const { status, stderr } = await waybill(['topology', 'check', 'prodd'], { api: api.url });

    expect(status).toBe(1);
    expect(stderr).toContain('did you mean prod?');
  });

  it.each(['0', '1.5', 'long', '3601'])('takes no timeout of %s', async (timeout) => {
    expect((await waybill(['topology', 'check', '--timeout', timeout])).status).toBe(2);
  });
});
