import { describe, expect, it } from '@jest/globals';
import type { Purge } from '@waybill/contracts/http';
import { digestOf, parseRepositoryName } from '@waybill/oci-model';
import { promotionId as id, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const root = '/api/v1/retention/purges';
const since = '2026-05-01T10:00:00Z';
const digest = digestOf(Buffer.from('leaked'));
const repository = parseRepositoryName('team-a/app');
const asked: Purge = {
  ...{ id, registry: 'prod', repository, digest, reason: 'a key leaked', requestedBy: id, requestedAt: since },
  ...{ state: 'requested', deleted: 0, failed: 0, open: 1 },
};
const partial: Purge = { ...asked, state: 'partial', deleted: 1, failed: 1, open: 0, finishedAt: since };
const manifests = [{ repository, digest, state: 'failed', error: { code: 'listed-elsewhere', message: 'an index lists it' } }];
const purge = (...args: string[]) => ['retention', 'purge', ...args, '--reason', 'a key leaked'];

describe('waybill retention purge', () => {
  it.each([
    ['of one repository', `prod/team-a/app@${digest}`, { registry: 'prod', repository, digest, reason: 'a key leaked' }],
    ['of all repositories', `prod@${digest}`, { registry: 'prod', digest, reason: 'a key leaked' }],
  ])('asks for a digest %s', async (_what, artifact, body) => {
    const api = await scriptedApi({ [`POST ${root}`]: { status: 202, body: asked } });

    const { stdout } = await waybill(purge(artifact), { api: api.url });

    expect(stdout).toBe(`purge ${id} is asked for; see: waybill retention purges ${id}\n`);
    expect(api.asked[0]?.body).toEqual(body);
  });

  it('waits for its end, and says what is not gone', async () => {
    const api = await scriptedApi({
      [`POST ${root}`]: { status: 202, body: asked },
      [`GET ${root}/${id}`]: { body: partial },
      [`GET ${root}/${id}/manifests`]: { body: { manifests } },
    });

    const { stdout, status } = await waybill(purge(`prod/team-a/app@${digest}`, '--wait'), { api: api.url });

    expect(status).toBe(3);
    expect(stdout).toContain(`purge ${id} of prod/team-a/app@${digest}: partial; 1 manifests are gone, 1 failed, 0 are to go\n`);
    expect(stdout).toContain(`team-a/app@${digest}: listed-elsewhere: an index lists it\n`);
  });

  it.each(['prod/team-a/app:1.0.0', 'prod', `@${digest}`])('refuses %s, which says no digest', async (artifact) => {
    const { status } = await waybill(purge(artifact), { api: 'http://127.0.0.1:1' });

    expect(status).toBe(2);
  });
});

describe('waybill retention purges', () => {
  it('lists them, or shows one', async () => {
    const { repository: _none, ...everywhere } = asked;
    const failed: Purge = { ...partial, state: 'failed', error: { code: 'registry-replaced', message: 'it is another one' } };
    const api = await scriptedApi({
      [`GET ${root}`]: { body: { purges: [partial, everywhere], next: 'more' } },
      [`GET ${root}/${id}`]: { body: failed },
      [`GET ${root}/${id}/manifests`]: { body: { manifests: [] } },
    });

    const list = await waybill(['retention', 'purges'], { api: api.url });
    const one = await waybill(['retention', 'purges', id], { api: api.url });
    const json = await waybill(['retention', 'purges', id, '--json'], { api: api.url });

    expect(list.stdout).toMatch(new RegExp(`^${id} +${digest} at prod +requested +0 +0 +${since} +a key leaked$`, 'm'));
    expect(list.stdout).toContain('only the newest are shown: see --limit\n');
    expect([one.status, one.stdout]).toEqual([1, expect.stringContaining('registry-replaced: it is another one\n')]);
    expect(JSON.parse(json.stdout)).toEqual({ purge: failed, manifests: [] });
  });

  it('says that there is none', async () => {
    const api = await scriptedApi({ [`GET ${root}`]: { body: { purges: [] } } });

    expect((await waybill(['retention', 'purges'], { api: api.url })).stdout).toBe('nothing was purged yet\n');
  });
});
