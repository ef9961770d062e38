import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { copyGraph } from '@waybill/oci-copy';
import { OciLayout } from '@waybill/oci-layout';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import type { RegistryClient } from '@waybill/oci-registry';
import { buildImage, buildIndex, buildSignedArtifact, describeWith, memoryStoreWith, pushArtifact } from '@waybill/testing';
import { type ClientHome, judges, makeClientHome } from './clients.js';
import { contentOf, lackingIn } from './held-content.js';
import { clientOf, registryKinds, type StartedRegistry } from './registries.js';

const tag = parseTag('1.0.0');
const name = parseRepositoryName('judged/app');
const nested = parseRepositoryName('judged/nested');
const flat = buildIndex([buildImage({ seed: 1 }), buildImage({ seed: 2, platform: { os: 'linux', architecture: 'arm64' } })]);
const signed = buildSignedArtifact();
/** What refers to the root, and what refers to that. */
const referrersOfRoot = signed.referrers.filter(({ subject }) => {
  const between = signed.referrers.map(({ manifest }) => manifest.digest);
  return subject === signed.root.manifest.digest || between.includes(subject);
});

for (const kind of registryKinds) {
  for (const admission of kind.admissions) {
    describeWith(kind.needs, `what was copied to ${kind.name}, ${admission}`, () => {
      let registry: StartedRegistry;
      let client: RegistryClient;
      let home: ClientHome;
      beforeAll(async () => {
        registry = await kind.start(admission);
        client = clientOf(registry);
        home = await makeClientHome([registry]);
        await copyGraph(await memoryStoreWith(flat), flat.manifest.digest, [{ id: 'flat', store: client.repository(name), tags: [tag] }]);
        const source = (await OciLayout.create(join(home.folder, 'source'))).store();
        await pushArtifact(source, signed);
        const root = signed.root.manifest.digest;
        await copyGraph(source, root, [{ id: 'nested', store: client.repository(nested), tags: [tag] }], { referrers: 'all' });
      });
      afterAll(async () => {
        client.close();
        await home.dispose();
        await registry.stop();
      });

      for (const { client: judge, nests, pullsReferrers, argumentsOf } of judges) {
        describeWith(judge, `is pulled by ${judge}`, () => {
          const pull = async (repository: string) => {
            const layout = join(home.folder, `${judge}-${repository.replace('/', '-')}`);
            await home.run(judge, argumentsOf({ host: registry.host, image: `${repository}:${tag}`, layout }));
            return layout;
          };

          it('byte for byte', async () => {
            const layout = await pull(name);

            expect(await lackingIn(layout, contentOf(flat))).toEqual([]);
          });

          if (nests) {
            it('with the indexes in it', async () => {
              const layout = await pull(nested);

              expect(await lackingIn(layout, contentOf(signed.root))).toEqual([]);
            });
          }

          if (pullsReferrers !== 'none') {
            it(`with the referrers ${pullsReferrers}`, async () => {
              const layout = await pull(nested);

              for (const referrer of pullsReferrers === 'of the root' ? referrersOfRoot : signed.referrers) {
                expect(await lackingIn(layout, contentOf(referrer))).toEqual([]);
              }
            });
          }
        });
      }
    });
  }
}
