import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { copyGraph, type CopyReport } from '@waybill/oci-copy';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import type { RegistryClient } from '@waybill/oci-registry';
import { buildImage, buildIndex, describeWith, pushBuilt } from '@waybill/testing';
import { type ClientHome, makeClientHome } from './clients.js';
import { clientOf, registryKinds, type StartedRegistry } from './registries.js';

const name = parseRepositoryName('signed/app');
const tag = parseTag('1.0.0');
const index = buildIndex([buildImage({ seed: 1 }), buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })]);
const root = index.manifest.digest;

/** What cosign says of something that it found, and that another key has signed. */
const refusals = {
  signature: 'no matching signatures: invalid signature',
  envelope: 'accepted signatures do not match threshold, Found: 0, Expected 1',
};

/** Ways in which cosign keeps what it makes, and how it is told of them when it makes and when it verifies. */
const ways = [
  {
    title: 'signature under a tag',
    make: ['sign', '--recursive', '--new-bundle-format=false'],
    verify: ['verify', '--new-bundle-format=false'],
    env: {},
    refusal: refusals.signature,
  },
  {
    title: 'signature as a referrer',
    make: ['sign', '--recursive', '--new-bundle-format=false', '--registry-referrers-mode=oci-1-1'],
    verify: ['verify', '--new-bundle-format=false', '--experimental-oci11'],
    env: { COSIGN_EXPERIMENTAL: '1' },
    refusal: refusals.signature,
  },
  { title: 'signature in a bundle', make: ['sign', '--recursive'], verify: ['verify'], env: {}, refusal: refusals.envelope },
  {
    title: 'attestation under a tag',
    make: ['attest', '--new-bundle-format=false', '--type=spdxjson', '--predicate=sbom.json'],
    verify: ['verify-attestation', '--new-bundle-format=false', '--type=spdxjson'],
    env: {},
    refusal: refusals.envelope,
  },
  {
    title: 'attestation in a bundle',
    make: ['attest', '--type=spdxjson', '--predicate=sbom.json'],
    verify: ['verify-attestation', '--type=spdxjson'],
    env: {},
    refusal: refusals.envelope,
  },
];
/** No transparency log and no service of anyone's: the key is all there is. */
const offline = ['--use-signing-config=false', '--tlog-upload=false', '--yes'];

for (const from of registryKinds) {
  describeWith([...from.needs, 'cosign'], `what cosign signed at ${from.name}`, () => {
    let source: StartedRegistry;
    let origin: RegistryClient;
    let home: ClientHome;
    const cosign = (args: readonly string[], env = {}) => home.run('cosign', args, { COSIGN_PASSWORD: '', ...env });
    beforeAll(async () => {
      source = await from.start();
      origin = clientOf(source);
      home = await makeClientHome([]);
      await pushBuilt(origin.repository(name), index);
      await origin.repository(name).putTag(tag, index.manifest);
      for (const key of ['ours', 'another']) await cosign(['generate-key-pair', `--output-key-prefix=${join(home.folder, key)}`]);
      await writeFile(join(home.folder, 'sbom.json'), '{"spdxVersion":"SPDX-2.3"}');
      for (const { make, env } of ways) {
        const args = make.map((each) => each.replace('=sbom.json', `=${join(home.folder, 'sbom.json')}`));
        await cosign([...args, `--key=${join(home.folder, 'ours.key')}`, ...offline, `${source.host}/${name}@${root}`], env);
      }
    });
    afterAll(async () => {
      origin.close();
      await home.dispose();
      await source.stop();
    });

    for (const to of registryKinds) {
      describeWith(to.needs, `and was copied to ${to.name}`, () => {
        let target: StartedRegistry;
        let client: RegistryClient;
        let report: CopyReport;
        beforeAll(async () => {
          target = await to.start();
          client = clientOf(target);
          const store = client.repository(name);
          report = await copyGraph(origin.repository(name), root, [{ id: 'target', store, tags: [tag] }], { referrers: 'all' });
        });
        afterAll(async () => {
          client.close();
          await target.stop();
        });

        const verify = (way: (typeof ways)[number], key: string, digest = root) =>
          cosign(
            [...way.verify, `--key=${join(home.folder, key)}.pub`, '--insecure-ignore-tlog', `${target.host}/${name}@${digest}`],
            way.env,
          );

        it('was copied whole', () => {
          expect(report.targets.get('target')).toMatchObject({ outcome: 'copied' });
        });

        it.each(ways)('verifies there: $title', async (way) => {
          const said = await verify(way, 'ours');

          expect(JSON.parse(lastLine(said))).not.toEqual([]);
        });

        it.each(ways.filter(({ make }) => make.includes('--recursive')))('verifies there for each platform: $title', async (way) => {
          for (const child of index.children) {
            const said = await verify(way, 'ours', child.manifest.digest);
            expect(JSON.parse(lastLine(said))).not.toEqual([]);
          }
        });

        it.each(ways)('does not verify with another key: $title', async (way) => {
          await expect(verify(way, 'another')).rejects.toThrow(way.refusal);
        });
      });
    }
  });
}

function lastLine(said: Buffer): string {
  return said.toString('utf8').trim().split('\n').at(-1) ?? '';
}
