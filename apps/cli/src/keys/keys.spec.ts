import { describe, expect, it } from '@jest/globals';
import type { KeyView } from '@waybill/contracts/http';
import { problem, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const id = '01920000-0000-7000-8000-0000000000ee';
const post = 'POST /api/v1/keys';
const list = 'GET /api/v1/keys';

const view = (facts: Partial<KeyView> = {}): KeyView => ({
  id,
  principal: { id, kind: 'service', issuer: 'waybill', subject: 'pipeline' },
  grants: [{ verbs: ['promotions:create'], paths: ['release'], repositories: ['team-a/**'] }],
  createdAt: '2026-05-01T10:00:00Z',
  ...facts,
});

describe('waybill keys create', () => {
  it('prints the key alone on standard output, so that a script can keep it', async () => {
    const api = await scriptedApi({ [post]: { status: 201, body: { key: 'wb_new', details: view() } } });

    const { status, stdout, stderr } = await waybill(
      ['keys', 'create', 'pipeline', '--allow', 'promotions:create', 'promotions:read', '--path', 'release', '--repository', 'team-a/**'],
      { api: api.url },
    );

    expect({ status, stdout }).toEqual({ status: 0, stdout: 'wb_new\n' });
    expect(stderr).toContain(id);
    expect(api.asked[0]?.body).toEqual({
      subject: 'pipeline',
      grants: [{ verbs: ['promotions:create', 'promotions:read'], paths: ['release'], repositories: ['team-a/**'] }],
    });
  });

  it('means every path and repository where none is named, and says when it ends', async () => {
    const api = await scriptedApi({ [post]: { status: 201, body: { key: 'wb_new', details: view() } } });

    const args = ['keys', 'create', 'pipeline', '--allow', 'artifacts:read', '--expires', '9999-12-31T00:00:00Z', '--json'];
    const { stdout } = await waybill(args, { api: api.url });

    expect(JSON.parse(stdout)).toEqual({ key: 'wb_new', details: view() });
    expect(api.asked[0]?.body).toMatchObject({
      grants: [{ paths: ['*'], repositories: ['**'] }],
      expiresAt: '9999-12-31T00:00:00.000Z',
    });
  });

  it.each([
    ['no verb', ['keys', 'create', 'pipeline']],
    ['a verb that is none', ['keys', 'create', 'pipeline', '--allow', 'promotions:creat']],
    ['an end that is past', ['keys', 'create', 'pipeline', '--allow', 'promotions:read', '--expires', '2020-01-01']],
  ])('takes %s for wrong usage', async (_what, args) => {
    expect((await waybill(args)).status).toBe(2);
  });

  it('says why a key may not be made', async () => {
    const refusal = { status: 403, code: 'forbidden', title: 'not allowed', detail: 'a key may do no more than the key that makes it' };
    const api = await scriptedApi({ [post]: problem(refusal) });

    expect(await waybill(['keys', 'create', 'x', '--allow', 'keys:manage'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(refusal.detail),
    });
  });
});

describe('waybill keys list', () => {
  const revoked = view({ id: `${id.slice(0, -1)}1`, revokedAt: '2026-05-02T10:00:00Z' });
  const expired = view({ id: `${id.slice(0, -1)}2`, expiresAt: '2026-05-02T10:00:00Z' });

  it('shows what works and what it may do, page by page', async () => {
    const pages = [{ keys: [revoked, expired], next: 'more' }, { keys: [view()] }];
    const api = await scriptedApi({ [list]: () => ({ body: pages.shift() }) });

    const { status, stdout } = await waybill(['keys', 'list'], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toContain('promotions:create on paths release on repositories team-a/**');
    expect(stdout).not.toContain(revoked.id);
    expect(stdout).not.toContain(expired.id);
  });

  it('shows the others too when asked to', async () => {
    const api = await scriptedApi({ [list]: { body: { keys: [revoked, expired] } } });

    const { stdout } = await waybill(['keys', 'list', '--history'], { api: api.url });

    expect(stdout).toMatch(new RegExp(`${revoked.id} +pipeline +revoked`));
    expect(stdout).toMatch(new RegExp(`${expired.id} +pipeline +expired`));
  });

  it('says that there is none', async () => {
    const api = await scriptedApi({ [list]: { body: { keys: [] } } });

    expect((await waybill(['keys', 'list'], { api: api.url })).stdout).toBe('there is no key that may do no more than yours\n');
    expect(JSON.parse((await waybill(['keys', 'list', '--json'], { api: api.url })).stdout)).toEqual({ keys: [] });
  });
});

describe('waybill keys revoke', () => {
  it('ends the key', async () => {
    const api = await scriptedApi({ [`DELETE /api/v1/keys/${id}`]: { status: 204 } });

    expect(await waybill(['keys', 'revoke', id], { api: api.url })).toMatchObject({ status: 0, stdout: `key ${id} works no more\n` });
  });

  it('fails where there is none', async () => {
    const api = await scriptedApi({ [`DELETE /api/v1/keys/${id}`]: problem({ status: 404, code: 'key-unknown', title: 'no such key' }) });

    expect((await waybill(['keys', 'revoke', id], { api: api.url })).status).toBe(1);
  });
});
