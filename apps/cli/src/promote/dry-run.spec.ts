import { describe, expect, it } from '@jest/globals';
import type { PromotionEstimate } from '@waybill/contracts/http';
import { digest, problem, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const route = 'POST /api/v1/promotions/estimate';
const source = 'ci-snapshots/team-a/app:1.4.0';
const other = `sha256:${'cd'.repeat(32)}` as typeof digest;
const tag = '1.4.0' as PromotionEstimate['conflicts'][number]['tag'];

function estimate(facts: Partial<PromotionEstimate> = {}): PromotionEstimate {
  const place = { location: 'eu', repository: 'team-a/app' };
  return {
    path: 'release',
    revision: 1,
    intentHash: digest,
    acceptable: true,
    items: [
      {
        source: { registry: 'ci-snapshots', repository: 'team-a/app', tag },
        digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        targets: [
          { ...place, registry: 'prod', requirement: 'required', tags: [{ tag, expected: { kind: 'absent' }, change: 'create' }] },
          {
            ...{ ...place, location: 'us', registry: 'prod-us', requirement: 'best-effort' },
            tags: [{ tag, expected: { kind: 'digest', digest: other }, change: 'move' }],
          },
        ],
      },
    ],
    conflicts: [],
    estimate: {
      madeAt: '2026-05-01T10:00:00Z',
      targets: [
        {
          item: 0,
          registry: 'prod',
          manifests: { copy: 1, mount: 0, skip: 0, unknown: 0 },
          manifestBytes: { copy: 1024, mount: 0, skip: 0, unknown: 0 },
          blobs: { copy: 1, mount: 1, skip: 1, unknown: 1 },
          bytes: { copy: 1024, mount: 2048, skip: 3072, unknown: 4096 },
          requests: 15,
          unseen: 'rate-limited',
        },
        { item: 0, registry: 'prod-us', unseen: 'deadline' },
      ],
      links: [{ from: 'eu', to: 'us', bytes: 2048, bytesUnknown: 4096, requests: 15, cost: 0.5 }],
    },
    ...facts,
  };
}

describe('waybill promote --dry-run', () => {
  it('says what is paused, for which the promotion would wait', async () => {
    const id = '01920000-0000-7000-8000-000000000001';
    const pauses = [{ id, scope: 'registry', name: 'prod-us', reason: 'new disks', pausedBy: id, pausedAt: '2026-05-01T10:00:00Z' }];
    const api = await scriptedApi({ [route]: { body: estimate() }, 'GET /api/v1/pauses': { body: { pauses } } });

    const { stdout } = await waybill(['promote', source, '--path', 'release', '--dry-run'], { api: api.url });

    expect(stdout).toContain(`it would wait: registry prod-us is paused since 2026-05-01T10:00:00Z: new disks (pause ${id})\n`);
  });

  it('shows what would be done, and asks for nothing', async () => {
    const api = await scriptedApi({ [route]: { body: estimate() } });

    const { status, stdout } = await waybill(['promote', source, '--path', 'release', '--tag', '1.4.0', '--dry-run', '--wait'], {
      api: api.url,
    });

    expect(status).toBe(0);
    expect(api.asked.map((asked) => [asked.route, asked.headers['idempotency-key'], asked.body])).toEqual([
      [route, undefined, { path: 'release', items: [{ source, tags: ['1.4.0'] }] }],
      ['GET /api/v1/pauses', undefined, undefined],
    ]);
    expect(stdout).toContain(`ci-snapshots/team-a/app@${digest}`);
    expect(stdout).toMatch(/^prod +team-a\/app +1\.4\.0 \(create\) +1 of 1 +3 of 4 +2\.0 KiB +2\.0 KiB +3\.0 KiB +4\.0 KiB +15$/m);
    expect(stdout).toMatch(/^prod-us \(replica\) +team-a\/app +1\.4\.0 \(move from sha256:cdcdcdcdcdcd\) +– +– +– +– +– +– +–$/m);
    expect(stdout).toContain('note: item 0 at prod-us is not fully known: no answer in time\n');
    expect(stdout).toContain('eu → us: 2.0 KiB and up to 4.0 KiB more, 15 requests, cost 0.500000\n');
    expect(stdout).toMatch(/nothing was requested\n$/);
  });

  it('ends with 1 when a request would be refused, and says why', async () => {
    const facts = { item: 0, repository: 'team-a/app', tag, holds: other, wanted: digest };
    const conflicts = [
      { ...facts, registry: 'prod', requirement: 'required' as const },
      { ...facts, registry: 'prod-us', requirement: 'best-effort' as const },
    ];
    const api = await scriptedApi({ [route]: { body: estimate({ acceptable: false, conflicts }) } });

    const { status, stdout } = await waybill(['promote', source, '--path', 'release', '--dry-run'], { api: api.url });

    expect(status).toBe(1);
    expect(stdout).toContain(`conflict: prod/team-a/app:1.4.0 is immutable and holds ${other}: a request would be refused\n`);
    expect(stdout).toContain(`conflict: prod-us/team-a/app:1.4.0 is immutable and holds ${other}: this replica would end as a conflict\n`);
    expect(stdout).toMatch(/nothing was requested, and a request would be refused\n$/);
  });

  it('gives programs the whole of it', async () => {
    const api = await scriptedApi({ [route]: { body: estimate() } });

    const { stdout } = await waybill(['promote', source, '--path', 'release', '--dry-run', '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toEqual(estimate());
  });

  it('says what could not be promoted', async () => {
    const unknown = { status: 404, code: 'path-unknown', title: 'No such path', detail: 'there is no path "relase"', near: ['release'] };
    const api = await scriptedApi({ [route]: problem(unknown) });

    const ran = await waybill(['promote', source, '--path', 'relase', '--dry-run'], { api: api.url });

    expect(ran).toMatchObject({ status: 1, stderr: 'waybill: there is no path "relase"\n  did you mean release?\n' });
  });
});
