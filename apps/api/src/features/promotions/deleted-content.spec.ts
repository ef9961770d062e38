import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Artifact, Provenance } from '@waybill/contracts/http';
import { uuidV7 } from '@waybill/kernel';
import { type Digest, digestToBytes } from '@waybill/oci-model';
import { Database } from '@waybill/persistence';
import { type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { applyRelease, promotionOf, type RegistryUnderTest, startRegistry } from '../../registries-under-test.spec-helper.js';

const repository = 'team-a/app';

describe('what a run of retention deletes', () => {
  let api: ApiUnderTest;
  let [ci, prod]: RegistryUnderTest[] = [];
  let digest: Digest;
  const runId = uuidV7.next();

  beforeAll(async () => {
    [api, ci, prod] = await Promise.all([startApi(), startRegistry(), startRegistry()]);
    ({ digest } = (await ci.push(repository, '1.0.0')).manifest);
    await applyRelease(api, { 'ci-snapshots': ci.url, prod: prod.url, 'prod-us': prod.url });
    await beginDeletion();
  });
  afterAll(async () => {
    await Promise.all([api, ci, prod].map((one) => one!.stop()));
  });

  const tables = () => api.app.get(Database).tables;

  /** As the rows are while a worker sends the deletion. */
  async function beginDeletion(): Promise<void> {
    const { id: registryId } = await tables().registry.findFirstOrThrow({ where: { name: 'ci-snapshots' } });
    const run = { id: runId, policy: 'old-builds', registryId, revision: 1n, policyHash: new Uint8Array(32), snapshot: {} };
    await tables().retentionRun.create({ data: { ...run, trigger: 'schedule', mode: 'enforce', state: 'deleting' } });
    const place = { registryId, repository, digest: digestToBytes(digest) };
    const mark = { ...place, runId, position: 0, mediaType: 'application/json', manifest: new Uint8Array(1), dueAt: new Date() };
    await tables().retentionMark.create({ data: { ...mark, state: 'deleting' } });
  }

  it('is not promoted while it is being deleted, and may be tried again', async () => {
    const answer = await api.post('/api/v1/promotions', promotionOf());

    expect(problemIn(answer)).toMatchObject({
      status: 409,
      code: 'being-deleted',
      detail: expect.stringContaining(`ci-snapshots/${repository}`),
    });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.send('GET', '/api/v1/promotions')).body).toMatchObject({ promotions: [] });

    await tables().retentionMark.updateMany({ data: { state: 'spared', settledAt: new Date() } });
    expect((await api.post('/api/v1/promotions', promotionOf())).status).toBe(202);
  });

  it('is told of to whoever may read its repository, with the run and its policy', async () => {
    const { registryId } = await tables().retentionRun.findUniqueOrThrow({ where: { id: runId } });
    const settled = { state: 'settled', outcome: 'deleted', settledAt: new Date() };
    const place = { registryId, repository, digest: digestToBytes(digest) };
    const { id: effectId } = await tables().effect.create({
      data: { id: uuidV7.next(), retentionRunId: runId, kind: 'deletion', ...place, ...settled },
    });
    const body = { effect: 'deletion', outcome: 'deleted', registry: 'ci-snapshots', repository, policy: 'old-builds' };
    await tables().provenanceRecord.create({
      data: { kind: 'effect', retentionRunId: runId, subject: place.digest, effectId, body },
    });
    const [ofTeamA, ofTeamB] = await Promise.all(
      ['team-a/**', 'team-b/**'].map((pattern) => api.keyWith([{ verbs: ['artifacts:read'], paths: ['*'], repositories: [pattern] }])),
    );
    const about = async (key?: string) => {
      const answer = await api.send('GET', `/api/v1/artifacts/${digest}/provenance`, key === undefined ? {} : { key });
      return (answer.body as Provenance).entries.filter(({ retentionRunId }) => retentionRunId !== undefined);
    };

    expect(await about(ofTeamA)).toMatchObject([{ kind: 'effect', retentionRunId: runId, body }]);
    expect((await about(ofTeamA))[0]).not.toHaveProperty('promotionId');
    expect(await about(ofTeamB)).toEqual([]);
    const artifact = (await api.send('GET', `/api/v1/artifacts/${digest}`)).body as Artifact;
    const [source] = artifact.registries.find(({ registry }) => registry === 'ci-snapshots')?.repositories ?? [];
    expect(source).toMatchObject({ repository, deletion: { runId, policy: 'old-builds', at: expect.any(String) } });
  });
});
