import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { unknownCapabilities } from '@waybill/oci-model';
import { CheckLeases, Database } from '@waybill/persistence';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/topology';
const untagging = `${releaseTopology}
retention:
  - name: branches
    registry: ci-snapshots
    schedule: '0 3 * * *'
    repositories: ['**']
    rules:
      - { name: old, action: untag, match: { tags: { glob: ['br-*'] } } }
`;

describe('retention that is applied', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
    await api.send('PUT', path, { body: { source: releaseTopology } });
  });
  afterAll(() => api.stop());

  /** Does what a worker does that finds out that ci-snapshots deletes nothing. */
  async function check(): Promise<void> {
    await api.post('/api/v1/registry-checks', { registries: ['ci-snapshots'] });
    const leases = new CheckLeases(api.app.get(Database), { leaseMs: 60_000 });
    const lease = await leases.claimNext('all', 'spec');
    if (lease === undefined) throw new Error('there is nothing to check');
    await leases.load(lease);
    const capabilities = { ...unknownCapabilities, tagDelete: false, manifestDelete: false };
    await leases.finish(lease, { report: { checkedAt: '2026-05-01T10:00:00.000Z', scope: 'write', probes: [], capabilities } });
  }

  it('makes a revision, and is refused what a check found to be impossible', async () => {
    expect((await api.send('PUT', path, { body: { source: untagging } })).status).toBe(200);
    await api.send('PUT', path, { body: { source: releaseTopology } });
    await check();

    const refused = await api.send('PUT', path, { body: { source: untagging, file: 'f.yaml' } });

    expect(problemIn(refused)).toMatchObject({
      status: 422,
      code: 'topology-invalid',
      errors: [{ pointer: '/retention/0/rules/0/action', detail: expect.stringContaining('so it cannot untag'), line: expect.any(Number) }],
    });
  });

  it('is taken when the file declares otherwise', async () => {
    const declared = untagging.replace('  ci-snapshots: {', '  ci-snapshots: { capabilities: { tagDelete: true },');

    expect(declared).not.toBe(untagging);
    expect((await api.send('PUT', path, { body: { source: declared } })).status).toBe(200);
  });
});
