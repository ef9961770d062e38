import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Grant, issueApiKey, verbs } from '@waybill/access';
import { uuidV7 } from '@waybill/kernel';
import { Scene } from '../scene.spec-helper.js';
import { ApiKeys, type NewApiKey } from './api-keys.js';
import { IdempotencyKeys } from './idempotency-keys.js';

const grants: Grant[] = [{ verbs: [verbs[0]], paths: ['*'], repositories: ['**'] }];

describe('ApiKeys', () => {
  let scene: Scene;
  let keys: ApiKeys;

  beforeAll(async () => {
    scene = await Scene.start();
    keys = new ApiKeys(scene.database);
  });

  afterAll(() => scene.close());

  function newKey(facts: Partial<NewApiKey> = {}) {
    const { id, text, hash } = issueApiKey(uuidV7.next());
    const principal = { kind: 'service', issuer: 'waybill', subject: `robot-${id}` } as const;
    return { text, key: { id, hash, principal, grants, ...facts } satisfies NewApiKey };
  }

  it('knows who presents a key, and stores only its hash', async () => {
    const { text, key } = newKey();
    const { principal } = await keys.put(key);

    expect(await keys.authenticate(text)).toEqual({ principal, keyId: key.id, grants });
    const [row] = await scene.database.tables.$queryRaw<
      { row: string }[]
    >`SELECT to_jsonb(k)::text AS row FROM api_key k WHERE id = ${key.id}::uuid`;
    expect(row?.row).not.toContain(text.slice(-20));
  });

  it.each<[string, (text: string, id: string) => Promise<string>]>([
    ['that is no key', () => Promise.resolve('Bearer nothing')],
    ['that is unknown', () => Promise.resolve(issueApiKey(uuidV7.next()).text)],
    ['whose secret is another', (_text, id) => Promise.resolve(issueApiKey(id).text)],
    ['that was revoked', (text, id) => keys.revoke(id).then(() => text)],
    ['that has expired by the database’s clock', (text, id) => expire(id).then(() => text)],
  ])('knows nobody for a text %s', async (_name, presented) => {
    const { text, key } = newKey();
    await keys.put(key);

    expect(await keys.authenticate(await presented(text, key.id))).toBeUndefined();
  });

  async function expire(id: string): Promise<void> {
    await scene.database.tables.$executeRaw`UPDATE api_key SET expires_at = now() WHERE id = ${id}::uuid`;
  }

  it('keeps the time of the first revocation', async () => {
    const { key } = newKey();
    await keys.put(key);
    const revokedAt = async () => (await keys.list()).find(({ id }) => id === key.id)?.revokedAt;

    expect(await keys.revoke(key.id)).toBe(true);
    const first = await revokedAt();
    expect(await keys.revoke(key.id)).toBe(true);

    expect(first).toBeInstanceOf(Date);
    expect(await revokedAt()).toEqual(first);
    expect(await keys.revoke(uuidV7.next())).toBe(false);
  });

  it('lets many processes ensure one key at once', async () => {
    const { text, key } = newKey();

    const records = await Promise.all(Array.from({ length: 8 }, () => keys.put(key)));

    expect(new Set(records.map(({ principal }) => principal.id)).size).toBe(1);
    expect(await keys.authenticate(text)).toBeDefined();
  });

  it('makes a revoked key valid again when start-up ensures it', async () => {
    const { text, key } = newKey();
    await keys.put(key);
    await keys.revoke(key.id);

    await keys.put(key);

    expect(await keys.authenticate(text)).toBeDefined();
  });

  it('asks whether a key may join what its principal’s live keys hold, and stores nothing when it may not', async () => {
    const idempotency = new IdempotencyKeys(scene.database);
    const request = { principalId: scene.principalId, route: 'POST /keys', key: 'joining', hash: new Uint8Array(32) };
    const claim = await idempotency.claim(request);
    if (claim.claim !== 'ours') throw new Error('a new key was expected');
    const principal = { kind: 'service', issuer: 'waybill', subject: 'shared' } as const;
    const [live, ended, refused] = [newKey({ principal }), newKey({ principal }), newKey({ principal })];
    await keys.put(live.key);
    await keys.put({ ...ended.key, grants: [{ verbs, paths: ['*'], repositories: ['**'] }] });
    await keys.revoke(ended.key.id);
    const refusal = new Error('no');
    const asked: unknown[] = [];
    const permit = (held: readonly Grant[]) => {
      asked.push(held);
      throw refusal;
    };
    const answerOf = () => ({ status: 201, headers: {}, body: {} });

    await expect(keys.create(refused.key, { request, token: claim.token, permit, answerOf })).rejects.toBe(refusal);
    expect(asked).toEqual([grants]);
    expect(await keys.get(refused.key.id)).toBeUndefined();
    expect(await keys.get(live.key.id)).toMatchObject({ id: live.key.id, grants });
  });

  it('stores a key and the answer to its request together, or neither', async () => {
    const idempotency = new IdempotencyKeys(scene.database);
    const request = { principalId: scene.principalId, route: 'POST /keys', key: 'one', hash: new Uint8Array(32) };
    const claim = await idempotency.claim(request);
    if (claim.claim !== 'ours') throw new Error('a new key was expected');
    const answerOf = ({ id }: { readonly id: string }) => ({ status: 201, headers: {}, body: { id } });
    const permit = () => undefined;
    const lost = newKey();
    const kept = newKey();

    expect(await keys.create(lost.key, { request, token: uuidV7.next(), permit, answerOf })).toBeUndefined();
    expect(await keys.create(kept.key, { request, token: claim.token, permit, answerOf })).toMatchObject({ body: { id: kept.key.id } });

    expect(await keys.authenticate(lost.text)).toBeUndefined();
    expect(await keys.authenticate(kept.text)).toBeDefined();
    expect(await idempotency.claim(request)).toMatchObject({ claim: 'answered', answer: { body: { id: kept.key.id } } });
  });
});
