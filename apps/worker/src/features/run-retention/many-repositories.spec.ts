import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parseRepositoryName, type RepositoryName } from '@waybill/oci-model';
import {
  buildCosignTag,
  buildImage,
  buildIndex,
  buildReferrer,
  type BuiltContent,
  describeWith,
  makeTestFolder,
  manifestsOf,
  propertyRuns,
  pushBuilt,
} from '@waybill/testing';
import { ExecutionScene, policyOf } from './execution-scene.spec-helper.js';

const count = propertyRuns('WAYBILL_TEST_REPOSITORIES', 8).numRuns;

/** Two platforms on a common base, signed twice: as cosign does and as a referrer. */
function release(seed: number) {
  const base = buildImage({ seed: 1, layerBytes: 512 });
  const arm = { os: 'linux', architecture: 'arm64' };
  const root = buildIndex([
    buildImage({ seed, layerBytes: 256, base }),
    buildImage({ seed: seed + 1, layerBytes: 256, base, platform: arm }),
  ]);
  return { root, signature: buildCosignTag(root), referrer: buildReferrer(root) };
}

describeWith(['docker-registry', 'skopeo'], 'a run over many repositories', () => {
  let scene: ExecutionScene;
  beforeAll(async () => {
    scene = await ExecutionScene.open();
  });
  afterAll(() => scene.close());

  async function push(name: RepositoryName, seed: number, tag: string): Promise<BuiltContent[]> {
    const { root, signature, referrer } = release(seed);
    await scene.pushBuilt(root, [tag], name);
    await scene.pushBuilt(signature.content, [signature.tag], name);
    await pushBuilt(scene.repository(name), referrer);
    return [root, signature.content, referrer];
  }

  it('leaves every kept tag whole, and nothing of what was condemned', async () => {
    await scene.declare(policyOf({ limits: { maxDeletePercent: 100, maxDeleteCount: 1_000_000, maxDeleteBytes: 1e12 } }));
    const names = Array.from({ length: count }, (_, number) => parseRepositoryName(`team-${number % 5}/app-${number}`));
    const condemned = new Map<RepositoryName, readonly BuiltContent[]>();
    for (const [number, name] of names.entries()) {
      const seed = 10 + 4 * number;
      await push(name, seed, '1.0.0');
      condemned.set(name, await push(name, seed + 2, 'br-1'));
    }
    const id = await scene.planned();

    const ended = await scene.finish(id);

    expect(ended).toMatchObject({ state: 'succeeded', spared: 0, failed: 0, repositories: count });
    const folder = await makeTestFolder('waybill-kept-');
    for (const name of names) {
      const gone = (condemned.get(name) ?? []).flatMap((content) => manifestsOf(content));
      const mine = gone.filter(({ digest }) => digest !== buildImage({ seed: 1, layerBytes: 512 }).manifest.digest);
      for (const { digest } of mine) {
        expect({ name, digest, there: await scene.holds(digest, name) }).toEqual({ name, digest, there: false });
      }
      const source = `docker://${scene.process.url.slice('http://'.length)}/${name}:1.0.0`;
      const target = `dir:${join(folder, name.replace('/', '-'))}`;
      await promisify(execFile)('skopeo', ['copy', '--all', '--preserve-digests', '--src-tls-verify=false', source, target]);
      expect(Object.keys(await scene.tags(name)).filter((tag) => !tag.startsWith('sha256-'))).toEqual(['1.0.0']);
    }
  }, 1_800_000);
});
