import { describe, expect, it } from '@jest/globals';
import { digest, promotionId, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const route = `GET /api/v1/artifacts/${encodeURIComponent(digest)}/provenance`;

function entry(sequence: number, body: Record<string, unknown>) {
  const chain = { sequence, hash: 'ab'.repeat(32), previousHash: 'cd'.repeat(32) };
  return { kind: 'effect', promotionId, subject: digest, occurredAt: '2026-05-01T10:00:01.234567Z', body, chain };
}

const requested = { ...entry(1, { decision: 'requested', path: 'release', reason: 'release day' }), by: { id: promotionId, name: 'jane' } };
const written = entry(2, { effect: 'tag', outcome: 'written', registry: 'prod', repository: 'team-a/app', tag: '1.4.0' });

/** The record in two pages. */
function record() {
  return scriptedApi({
    [route]: ({ query }) => ({
      body: query.get('cursor') === null ? { digest, entries: [requested], next: 'two' } : { digest, entries: [written] },
    }),
  });
}

describe('waybill provenance DIGEST', () => {
  it('shows the whole record, page by page', async () => {
    const api = await record();

    const { status, stdout } = await waybill(['provenance', digest], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toMatch(/^1 +2026-05-01 10:00:01 +requested +release +jane +release day +abababababab$/m);
    expect(stdout).toMatch(/^2 +2026-05-01 10:00:01 +tag written +prod\/team-a\/app:1\.4\.0 +abababababab$/m);
    expect(api.asked.map(({ query }) => query.get('cursor'))).toEqual([null, 'two']);
  });

  it('gives programs the entries as they are', async () => {
    const api = await record();

    const { stdout } = await waybill(['provenance', digest, '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toEqual({ digest, entries: [requested, written] });
  });

  it('says that nothing is recorded, or that the key may read none of it', async () => {
    const api = await scriptedApi({ [route]: { body: { digest, entries: [] } } });

    const { status, stdout } = await waybill(['provenance', digest], { api: api.url });

    expect({ status, stdout }).toEqual({ status: 0, stdout: `nothing is recorded about ${digest} that this key may read\n` });
  });

  it.each(['latest', 'sha256:abc', `${digest}ab`, digest.toUpperCase()])('is wrong usage for what is no digest: %s', async (named) => {
    const api = await scriptedApi({});

    const { status, stderr } = await waybill(['provenance', named], { api: api.url });

    expect(status).toBe(2);
    expect(stderr).toContain('expected sha256: and 64 lower-case hexadecimal digits');
    expect(api.asked).toEqual([]);
  });
});
