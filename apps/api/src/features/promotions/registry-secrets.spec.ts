import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type AcceptedPromotion, problemKinds, type Promotion } from '@waybill/contracts/http';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { promotionOf, type RegistryUnderTest, startRegistry } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/promotions';

/** CI Snapshots and Prod at URLs of their own, with secrets that nobody set, or set wrongly. */
function topologyAt(source: string, target: string, read: string): string {
  return `
apiVersion: waybill/v1
kind: Topology
metadata: { name: secrets }
locations: { eu: {} }
registries:
  ci-snapshots: { role: ci-snapshots, location: eu, url: "${source}"${read} }
  prod: { role: prod, location: eu, url: "${target}", credentials: { write: { secret: api-spec-broken } } }
paths:
  release: { from: ci-snapshots, to: [prod], repositories: ["**"], tags: ".*" }
`;
}

describe('a promotion between registries whose secrets', () => {
  let api: ApiUnderTest;
  let source: RegistryUnderTest;
  let target: RegistryUnderTest;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'waybill-api-secrets-'));
    await writeFile(join(dir, 'api-spec-broken'), 'hunter2-without-a-colon');
    const config = { secrets: { prefix: 'WAYBILL_SECRET_', dir } } as const;
    [api, source, target] = await Promise.all([startApi({ config }), startRegistry(), startRegistry()]);
    await source.push('team-a/app', '1.0.0');
  });
  afterAll(async () => {
    await Promise.all([api.stop(), source.stop(), target.stop(), rm(dir, { recursive: true })]);
  });

  const apply = async (read: string) => {
    const applied = await api.send('PUT', '/api/v1/topology', { body: { source: topologyAt(source.url, target.url, read) } });
    expect(applied.text).toContain('"revision"');
  };

  it('are missing at the source is refused, naming the variable to set', async () => {
    await apply(', credentials: { read: { secret: api-spec-missing } }');

    const problem = problemIn(await api.post(path, promotionOf()));

    expect(problem).toMatchObject({ status: problemKinds['source-refused'].status, code: 'source-refused' });
    expect(problem.detail).toContain('WAYBILL_SECRET_API_SPEC_MISSING');
  });

  it('are malformed for writing at the target is accepted, and the target is read without them', async () => {
    await apply('');
    const accepted = await api.post(path, promotionOf());

    expect(accepted.status).toBe(202);
    const shown = (await api.send('GET', `${path}/${(accepted.body as AcceptedPromotion).id}`)).body as Promotion;
    expect(shown.items[0]?.targets[0]?.tags).toEqual([{ tag: '1.0.0', expected: { kind: 'absent' } }]);
    expect(`${accepted.text}${api.log.join('')}`).not.toContain('hunter2');
  });
});
