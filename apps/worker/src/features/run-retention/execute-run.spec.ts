import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Digest, digestToBytes, parseRepositoryName, parseTag } from '@waybill/oci-model';
import {
  buildImage,
  buildIndex,
  buildSignedArtifact,
  describeWith,
  type FrontFault,
  manifestsOf,
  pushArtifact,
  pushBuilt,
} from '@waybill/testing';
import { app, ExecutionScene, policyOf } from './execution-scene.spec-helper.js';

describeWith(['docker-registry'], 'a run that acts', () => {
  let scene: ExecutionScene;
  let fault: (method: string, url: string) => FrontFault | undefined | Promise<FrontFault | undefined>;
  beforeEach(async () => {
    fault = () => undefined;
    scene = await ExecutionScene.open({ faults: ({ method, url }) => fault(method, url) });
  });
  afterEach(() => scene.close());

  it('deletes exactly its plan: a signed index with all that belongs to it, and nothing that something else needs', async () => {
    const artifact = buildSignedArtifact();
    const shared = artifact.root.children[1];
    if (shared === undefined) throw new Error('the artifact has no second child');
    await pushArtifact(scene.repository(), artifact);
    await scene.pushBuilt(artifact.root, ['br-1']);
    const kept = await scene.pushBuilt(buildIndex([shared, buildImage({ seed: 7, layerBytes: 64 })]), ['1.0.0']);
    const id = await scene.planned();

    expect(await scene.run(id)).toMatchObject({ mode: 'enforce', state: 'planned' });
    const ended = await scene.finish(id);

    expect(ended).toMatchObject({ state: 'succeeded', error: null });
    expect(await scene.tags()).toEqual({ '1.0.0': kept.digest });
    const referrers = artifact.referrers.map(({ manifest }) => manifest.digest);
    const gone = [...manifestsOf(artifact.root).map(({ digest }) => digest), ...referrers];
    for (const digest of gone) {
      expect({ digest, there: await scene.holds(digest) }).toEqual({ digest, there: digest === shared.manifest.digest });
    }
    expect(await scene.holds(shared.manifest.digest)).toBe(true);
    const marks = await scene.marks(id);
    expect(new Set(Object.values(marks))).toEqual(new Set(['deleted']));
    expect(await scene.provenanceOf(id)).toEqual(Object.keys(marks).sort());
  });

  it('marks first, and deletes nothing before the grace is over', async () => {
    await scene.declare(policyOf({ graceMs: 3_600_000 }));
    const image = await scene.push(1, ['br-1']);
    const id = await scene.planned();

    await scene.worker().execute();
    expect(await scene.worker().execute()).toBe(0);

    expect(await scene.run(id)).toMatchObject({ state: 'grace' });
    expect(await scene.marks(id)).toEqual({ [image.digest]: 'marked' });
    expect(await scene.holds(image.digest)).toBe(true);
  });

  it('spares what has changed since it was planned', async () => {
    const [moved, tagged, gone] = [await scene.push(1, ['br-1']), await scene.push(2, ['br-2']), await scene.push(3, ['br-3'])];
    const id = await scene.planned();
    await scene.pushBuilt(buildImage({ seed: 2, layerBytes: 64 }), ['2.0.0']);
    await scene.pushBuilt(buildIndex([buildImage({ seed: 1, layerBytes: 64 })]), ['3.0.0']);

    const ended = await scene.finish(id);

    expect(ended).toMatchObject({ state: 'succeeded' });
    expect(await scene.marks(id)).toEqual({ [moved.digest]: 'spared', [tagged.digest]: 'spared', [gone.digest]: 'deleted' });
    expect(Object.keys(await scene.tags()).sort()).toEqual(['2.0.0', '3.0.0', 'br-1', 'br-2']);
  });

  it('deletes nothing from a repository whose tags it cannot list, and goes on with the next', async () => {
    const other = parseRepositoryName('team-b/app');
    const [kept, gone] = [await scene.push(1, ['br-1']), await scene.push(2, ['br-1'], other)];
    const id = await scene.planned();
    fault = (_method, url) => (url.startsWith(`/v2/${app}/tags/list`) ? { status: 403 } : undefined);

    const ended = await scene.finish(id);

    expect(ended).toMatchObject({ state: 'partial' });
    expect(await scene.holds(kept.digest)).toBe(true);
    expect(await scene.holds(gone.digest, other)).toBe(false);
    expect(await scene.marks(id)).toEqual({ [kept.digest]: 'spared', [gone.digest]: 'deleted' });
    expect(await scene.runs.repositories(id, { limit: 10 })).toMatchObject([
      { repository: app, state: 'failed', error: { code: 'registry-trouble' } },
      { repository: other, state: 'done' },
    ]);
  });

  it('ends partial where the registry refuses deletions, and tries again in the next run', async () => {
    const image = await scene.push(1, ['br-1']);
    const id = await scene.planned();
    await scene.process.restart({ deleteEnabled: false });

    expect(await scene.finish(id)).toMatchObject({ state: 'partial' });
    expect(await scene.runs.repositories(id, { limit: 1 })).toMatchObject([{ state: 'failed', error: { code: 'unsupported' } }]);
    expect(await scene.holds(image.digest)).toBe(true);

    await scene.process.restart({ deleteEnabled: true });
    const again = await scene.request();
    await scene.worker().run();
    expect(await scene.finish(again)).toMatchObject({ state: 'succeeded' });
    expect(await scene.holds(image.digest)).toBe(false);
  });

  it('believes what it reads back, not what it was answered', async () => {
    const image = await scene.push(1, ['br-1']);
    const id = await scene.planned();
    let lost = 0;
    fault = (method) => {
      if (method !== 'DELETE' || lost > 0) return undefined;
      lost += 1;
      return 'lose-answer';
    };

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded' });

    expect(lost).toBe(1);
    expect(await scene.marks(id)).toEqual({ [image.digest]: 'deleted' });
    expect(await scene.provenanceOf(id)).toEqual([image.digest]);
  });

  it('brings back what somebody pushed in the very moment of its deletion', async () => {
    const child = buildImage({ seed: 5, layerBytes: 64 });
    await scene.pushBuilt(child, ['br-1']);
    const id = await scene.planned();
    let index: Digest | undefined;
    fault = async (method) => {
      if (method === 'DELETE' && index === undefined) index = (await scene.pushBuilt(buildIndex([child]), ['2.0.0'])).digest;
      return undefined;
    };

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded' });

    expect(await scene.holds(child.manifest.digest)).toBe(true);
    expect(await scene.tags()).toEqual({ '2.0.0': index });
    expect(await scene.marks(id)).toEqual({ [child.manifest.digest]: 'restored' });
    expect(scene.log.saying('somebody pushed what was just deleted: it was brought back')).toHaveLength(1);
  });

  it('says which kept tags are missing since somebody deleted what they named meanwhile, and moves them onto nothing', async () => {
    const [release, branch] = [await scene.push(1, ['1.0.0']), await scene.push(2, ['br-1'])];
    const id = await scene.planned();
    let isRemoved = false;
    fault = async (method) => {
      if (method !== 'DELETE' || isRemoved) return undefined;
      isRemoved = true;
      await scene.repository().deleteManifest(release.digest, AbortSignal.timeout(10_000));
      return undefined;
    };

    expect(await scene.finish(id)).toMatchObject({ state: 'partial' });

    expect(await scene.marks(id)).toEqual({ [branch.digest]: 'deleted' });
    expect(await scene.tags()).toEqual({});
    expect(await scene.runs.repositories(id, { limit: 1 })).toMatchObject([
      { state: 'failed', deleted: 1, error: { code: 'tags-missing', message: expect.stringContaining('1.0.0') } },
    ]);
  });

  it('gives the registry up when it answers nothing of five repositories in a row', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => parseRepositoryName(`team-a/${name}`));
    for (const [seed, name] of names.entries()) await scene.push(seed, ['br-1'], name);
    const id = await scene.planned();
    await scene.worker().execute();
    fault = () => ({ status: 401 });

    const ended = await scene.finish(id);

    expect(ended).toMatchObject({ state: 'failed', error: { code: 'registry-trouble' }, deleted: 0 });
    expect(new Set(Object.values(await scene.marks(id)))).toEqual(new Set(['spared']));
  });

  it('takes off tags, and leaves what they named', async () => {
    const rule = { name: 'temporary', action: 'untag', match: { tags: { glob: ['tmp-*'] } }, criteria: 'all' } as const;
    await scene.declare(policyOf({ rules: [rule] }));
    const image = await scene.push(1, ['tmp-1', '1.0.0']);
    const alone = await scene.push(2, ['tmp-2']);
    const id = await scene.planned();

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded', deleted: 2 });

    expect(await scene.tags()).toEqual({ '1.0.0': image.digest });
    expect(await scene.holds(alone.digest)).toBe(true);
    expect(await scene.provenanceOf(id)).toEqual([`${image.digest} tmp-1`, `${alone.digest} tmp-2`].sort());
  });

  it('waits beyond its limits until somebody lets this very plan go', async () => {
    await scene.declare(policyOf({ limits: { maxDeletePercent: 100, maxDeleteCount: 0, maxDeleteBytes: 1e12 } }));
    const image = await scene.push(1, ['br-1']);
    const id = await scene.planned();

    expect(await scene.worker().execute()).toBe(0);
    expect(await scene.run(id)).toMatchObject({ state: 'waiting-approval' });
    await scene.runs.approvePlan(id, { by: scene.recorded.principalId, reason: 'looked at it' });

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded', deleted: 1 });
    expect(await scene.holds(image.digest)).toBe(false);
  });

  it('spares what the registry tells of as tagged while the run deletes', async () => {
    const images = [await scene.push(1, ['br-1']), await scene.push(2, ['br-2'])];
    const id = await scene.planned();
    let told: Digest | undefined;
    fault = async (method, url) => {
      const other = images.find(({ digest }) => !url.endsWith(digest));
      if (method !== 'DELETE' || told !== undefined || other === undefined) return undefined;
      told = other.digest;
      await scene.database.tables.$executeRaw`
        INSERT INTO tag_event (registry_id, repository, tag, digest, source)
        SELECT registry_id, ${app}, 'stable', ${digestToBytes(other.digest)}, 'notification' FROM retention_run WHERE id = ${id}::uuid`;
      return undefined;
    };

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded', deleted: 1, spared: 1 });

    expect(told !== undefined && (await scene.holds(told))).toBe(true);
    expect((await scene.runs.marks(id, { limit: 10 })).find(({ digest }) => digest === told)).toMatchObject({
      reason: { code: 'tag-kept' },
    });
  });

  it('ends when the policy is changed, paused or no longer approved while it waits', async () => {
    const image = await scene.push(1, ['br-1']);
    const id = await scene.planned();
    await scene.worker().execute();
    await scene.declare(policyOf({ limits: { maxDeletePercent: 50, maxDeleteCount: 1, maxDeleteBytes: 1 } }));

    expect(await scene.finish(id)).toMatchObject({ state: 'cancelled', error: { code: 'policy-changed' } });
    expect(await scene.marks(id)).toEqual({ [image.digest]: 'spared' });
    expect(await scene.holds(image.digest)).toBe(true);
  });

  it('brings to the archive what is to be archived, and then deletes it', async () => {
    const rule = { name: 'old', action: 'archive', to: 'archive', match: { tags: { glob: ['br-*'] } }, criteria: 'all' } as const;
    await scene.declare(policyOf({ rules: [rule] }));
    const artifact = buildSignedArtifact();
    await pushArtifact(scene.repository(), artifact);
    await scene.pushBuilt(artifact.root, ['br-1']);
    const id = await scene.planned();

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded' });

    expect(await scene.tags()).toEqual({});
    const archived = scene.archived();
    expect(await archived.resolveTag(parseTag('br-1'))).toBe(artifact.root.manifest.digest);
    const written = await scene.database.tables.effect.groupBy({
      by: ['kind', 'outcome'],
      where: { retentionRunId: id, registry: { name: 'archive' } },
    });
    expect(new Set(written.map(({ kind, outcome }) => `${kind} ${String(outcome)}`))).toEqual(new Set(['manifest written', 'tag written']));
    for (const { digest } of [...manifestsOf(artifact.root), ...artifact.referrers.map(({ manifest }) => manifest)]) {
      expect(await archived.hasManifest(digest)).toBe(true);
      expect(await scene.holds(digest)).toBe(false);
    }
  });

  it('leaves a tag of the archive on what it names, and gives what comes another', async () => {
    const rule = { name: 'old', action: 'archive', to: 'archive', match: { tags: { glob: ['br-*'] } }, criteria: 'all' } as const;
    await scene.declare(policyOf({ rules: [rule] }));
    const archived = scene.archived();
    const earlier = buildImage({ seed: 8, layerBytes: 64 });
    await pushBuilt(archived, earlier);
    await archived.putTag(parseTag('br-1'), earlier.manifest);
    const image = await scene.push(1, ['br-1']);
    const id = await scene.planned();

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded' });

    expect(await archived.resolveTag(parseTag('br-1'))).toBe(earlier.manifest.digest);
    expect(await archived.resolveTag(parseTag(`br-1.${image.digest.slice('sha256:'.length).slice(0, 12)}`))).toBe(image.digest);
    expect(await scene.holds(image.digest)).toBe(false);
  });

  it('keeps what it deletes in the trash for as long as the policy says', async () => {
    await scene.declare(policyOf({ softDelete: { ttlMs: 86_400_000 } }));
    const artifact = buildSignedArtifact();
    await pushArtifact(scene.repository(), artifact);
    await scene.pushBuilt(artifact.root, ['br-1']);
    const id = await scene.planned();

    expect(await scene.finish(id)).toMatchObject({ state: 'succeeded' });

    expect(await scene.tags()).toEqual({});
    const trash = scene.repository(parseRepositoryName(`waybill-trash/${app}`));
    for (const { digest } of manifestsOf(artifact.root)) expect(await trash.hasManifest(digest)).toBe(true);
    const { tables } = scene.database;
    expect(await tables.retentionTrash.count({ where: { runId: id } })).toBe(Object.keys(await scene.marks(id)).length);
  });
});
