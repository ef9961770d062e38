import { describe, expect, it } from '@jest/globals';
import { WaybillApi } from '../api-client/waybill-api.js';
import { promotionId as keyId, scriptedApi } from '../scripted-api.spec-helper.js';
import type { DemonstrationPlan } from './demonstration-image.js';
import { demonstrationSubject, makeDemonstrationKey, revokeLeftoverKeys } from './demonstration-key.js';

const plan = {
  path: { name: 'release' },
  reference: { registry: 'ci-snapshots', repository: 'waybill', tag: '0.1.0' },
} as unknown as DemonstrationPlan;

function key(id: string, subject: string, revokedAt?: string): object {
  const principal = { id: keyId, kind: 'service', issuer: 'waybill', subject };
  return { id, principal, grants: [], createdAt: '2026-05-01T10:00:00Z', ...(revokedAt === undefined ? {} : { revokedAt }) };
}

const idOf = (number: number): string => `01920000-0000-7000-8000-00000000000${number}`;

describe('the key of a demonstration', () => {
  it('may do what the demonstration does, on its path and repository, for a day', async () => {
    const api = await scriptedApi({ 'POST /api/v1/keys': { status: 201, body: { key: 'wb_demo', details: key(keyId, 'me') } } });

    const made = await makeDemonstrationKey(new WaybillApi({ url: api.url, key: 'wb_admin' }), plan, 'me');

    expect(made).toEqual({ id: keyId, text: 'wb_demo' });
    const body = api.asked[0]?.body as { readonly expiresAt: string };
    expect(body).toMatchObject({
      subject: 'me',
      grants: [{ verbs: ['promotions:create', 'promotions:read', 'artifacts:read'], paths: ['release'], repositories: ['waybill'] }],
    });
    const lifetime = Date.parse(body.expiresAt) - Date.now();
    expect(lifetime / 3_600_000).toBeCloseTo(24, 0);
  });

  it('of a killed run is revoked, on whichever page; others and those of other folders are not', async () => {
    const subject = demonstrationSubject('/srv/data');
    const pages = [
      { keys: [key(idOf(1), 'admin'), key(idOf(2), subject, '2026-05-01T10:00:00Z'), key(idOf(3), subject)], next: 'more' },
      { keys: [key(idOf(4), demonstrationSubject('/srv/other')), key(idOf(5), subject)] },
    ];
    const revoked = { status: 204 };
    const api = await scriptedApi({
      'GET /api/v1/keys': ({ query }) => ({ body: query.get('cursor') === 'more' ? pages[1] : pages[0] }),
      [`DELETE /api/v1/keys/${idOf(3)}`]: revoked,
      [`DELETE /api/v1/keys/${idOf(5)}`]: revoked,
    });

    await revokeLeftoverKeys(new WaybillApi({ url: api.url, key: 'wb_admin' }), subject);

    const deleted = api.asked.map(({ route }) => route).filter((route) => route.startsWith('DELETE'));
    expect(deleted).toEqual([`DELETE /api/v1/keys/${idOf(3)}`, `DELETE /api/v1/keys/${idOf(5)}`]);
  });

  it('has a subject that the API takes, however deep the folder', () => {
    expect(demonstrationSubject(`/srv/${'deep/'.repeat(100)}`).length).toBeLessThanOrEqual(255);
  });
});
