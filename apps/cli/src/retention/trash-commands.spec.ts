import { describe, expect, it } from '@jest/globals';
import type { Restore, RestoredManifests, TrashEntry } from '@waybill/contracts/http';
import { digestOf, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { promotionId as id, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const root = '/api/v1/retention';
const since = '2026-05-01T10:00:00Z';
const until = '2026-05-08T10:00:00Z';
const digest = digestOf(Buffer.from('image'));
const newer = digestOf(Buffer.from('newer'));
const repository = parseRepositoryName('team-a/app');
const tag = parseTag('1.4.0');

const entry: TrashEntry = {
  ...{ id, registry: 'prod', repository, digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', tags: [tag] },
  ...{ run: id, policy: 'nightly', deletedAt: since, expiresAt: until },
};
const asked: Restore = {
  ...{ id, registry: 'prod', repository, tag, reason: 'a mistake', requestedBy: id, requestedAt: since },
  ...{ state: 'requested', restored: 0, failed: 0, open: 2 },
};
const partial: Restore = { ...asked, state: 'partial', restored: 1, failed: 1, open: 0, finishedAt: since };
const manifests: RestoredManifests['manifests'] = [
  { repository, digest, state: 'restored', tags: [{ tag, outcome: 'moved', names: newer }] },
  { repository, digest: newer, state: 'failed', tags: [], error: { code: 'target-denied', message: 'the registry refuses it' } },
];

describe('waybill retention trash', () => {
  it('lists what can come back, or all that became of it', async () => {
    const entries = [entry, { ...entry, tags: [], restoredAt: since }, { ...entry, emptiedAt: until }];
    const api = await scriptedApi({ [`GET ${root}/trash`]: { body: { entries, next: 'more' } } });

    const { stdout, status } = await waybill(['retention', 'trash', 'prod/team-a/app:1.4.0', '--history', '--run', id], { api: api.url });

    expect(status).toBe(0);
    expect(Object.fromEntries(api.asked[0]?.query ?? [])).toEqual({
      ...{ registry: 'prod', repository, tag, run: id, state: 'all', limit: '50' },
    });
    expect(stdout).toMatch(new RegExp(`^${digest} +prod/team-a/app +1.4.0 +${since} +nightly +${until}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`– .* restored ${since}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`emptied ${until}$`, 'm'));
    expect(stdout).toContain('only the newest are shown: see --limit\n');
  });

  it('says that there is nothing, and gives programs what the API says', async () => {
    const api = await scriptedApi({ [`GET ${root}/trash`]: { body: { entries: [] } } });

    expect((await waybill(['retention', 'trash'], { api: api.url })).stdout).toBe('nothing of that is in the trash\n');
    expect(JSON.parse((await waybill(['retention', 'trash', '--json'], { api: api.url })).stdout)).toEqual({ entries: [] });
  });
});

describe('waybill retention restore', () => {
  const restore = (...args: string[]) => ['retention', 'restore', ...args, '--reason', 'a mistake'];

  it('asks for it, by its digest where both are said', async () => {
    const api = await scriptedApi({ [`POST ${root}/restores`]: { status: 202, body: asked } });

    const { stdout } = await waybill(restore(`prod/team-a/app:1.4.0@${digest}`), { api: api.url });

    expect(stdout).toBe(`restore ${id} is asked for; see: waybill retention restores ${id}\n`);
    expect(api.asked[0]?.body).toEqual({ registry: 'prod', repository, digest, reason: 'a mistake' });
  });

  it('waits for its end, and says what is not as it was', async () => {
    const api = await scriptedApi({
      [`POST ${root}/restores`]: { status: 202, body: asked },
      [`GET ${root}/restores/${id}`]: { body: partial },
      [`GET ${root}/restores/${id}/manifests`]: { body: { manifests } },
    });

    const { stdout, status } = await waybill(restore('prod/team-a/app:1.4.0', '--wait'), { api: api.url });

    expect(status).toBe(3);
    expect(stdout).toContain(`restore ${id} of prod/team-a/app:1.4.0: partial; 1 manifests are back, 1 failed, 0 are to come\n`);
    expect(stdout).toContain(`team-a/app:1.4.0 was left: it names ${newer} by now\n`);
    expect(stdout).toContain(`team-a/app@${newer}: target-denied: the registry refuses it\n`);
  });

  it('says that it is back already', async () => {
    const done: Restore = { ...asked, state: 'succeeded', open: 0, finishedAt: since };
    const api = await scriptedApi({ [`POST ${root}/restores`]: { status: 202, body: done } });

    expect((await waybill(restore('--run', id), { api: api.url })).stdout).toBe('it is back already: nothing is to be done\n');
    expect(api.asked[0]?.body).toEqual({ run: id, reason: 'a mistake' });
  });

  it('refuses what names nothing', async () => {
    const { status, stderr } = await waybill(restore('team-a'), { api: 'http://127.0.0.1:1' });

    expect(status).toBe(2);
    expect(stderr).toContain('is not a reference');
  });
});

describe('waybill retention restores', () => {
  it('lists them, or shows one', async () => {
    const ofRun: Restore = {
      id,
      registry: 'prod',
      run: id,
      reason: 'names',
      requestedBy: id,
      requestedAt: since,
      state: 'running',
      restored: 1,
      failed: 0,
      open: 1,
    };
    const failed: Restore = {
      ...partial,
      state: 'failed',
      restored: 0,
      error: { code: 'registry-replaced', message: 'it is another one' },
    };
    const api = await scriptedApi({
      [`GET ${root}/restores`]: { body: { restores: [partial, ofRun] } },
      [`GET ${root}/restores/${id}`]: { body: failed },
      [`GET ${root}/restores/${id}/manifests`]: { body: { manifests: [] } },
    });

    const list = await waybill(['retention', 'restores'], { api: api.url });
    const one = await waybill(['retention', 'restores', id], { api: api.url });

    expect(list.stdout).toMatch(new RegExp(`^${id} +run ${id} +running +1 +0 +${since} +names$`, 'm'));
    expect([one.status, one.stdout]).toEqual([1, expect.stringContaining('registry-replaced: it is another one\n')]);
  });
});
