import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { descriptorOf, manifestFromBytes, mediaType, parseRepositoryName, referrersTagOf } from '@waybill/oci-model';
import {
  buildImage,
  buildReferrer,
  describeWith,
  pushBuilt,
  type RunningRegistry,
  startDockerRegistry,
  startTypeScript,
} from '@waybill/testing';
import { RegistryClient } from './registry-client.js';
import type { RepositoryClient } from './repository-client.js';

const image = buildImage({ seed: 91 });
const subject = image.manifest.digest;

describeWith('docker-registry', 'the referrers tag at Distribution 2.8', () => {
  let registry: RunningRegistry;
  let client: RegistryClient;
  beforeAll(async () => {
    registry = await startDockerRegistry();
    client = new RegistryClient({ origin: registry.url, timeouts: { settleMs: 20 } });
  });
  afterAll(async () => {
    client.close();
    await registry.stop();
  });

  async function repositoryWithImage(name: string): Promise<RepositoryClient> {
    const repository = client.repository(parseRepositoryName(name));
    await pushBuilt(repository, image);
    return repository;
  }

  it('loses nothing when two processes write it at once', async () => {
    const repository = await repositoryWithImage('several/processes');
    const processes = [1, 2].map((number) => startTypeScript(pusher(registry.url, repository.name, number)));

    await Promise.all(processes.map(async (each) => expect(await each.nextLine()).toBe('ready')));
    await Promise.all(processes.map(async (each) => expect(await each.nextLine()).toBe('pushed')));

    const expected = [1, 2].flatMap((number) => seedsOf(number).map((seed) => buildReferrer(image, { seed }).manifest.digest));
    expect((await digestsOf(repository)).toSorted()).toEqual(expected.toSorted());
    expect(await Promise.all(processes.map((each) => each.ended))).toEqual([{ code: 0 }, { code: 0 }]);
  }, 120_000);

  it('takes more referrers after one was deleted behind its back', async () => {
    const repository = await repositoryWithImage('behind/its-back');
    const [gone, kept, added] = [buildReferrer(image), buildReferrer(image, { seed: 2 }), buildReferrer(image, { seed: 3 })];
    for (const each of [gone, kept]) await pushBuilt(repository, each);
    await fetch(`${registry.url}/v2/${repository.name}/manifests/${gone.manifest.digest}`, { method: 'DELETE' });

    await pushBuilt(repository, added);

    expect((await digestsOf(repository)).toSorted()).toEqual([kept.manifest.digest, added.manifest.digest].toSorted());
  });

  it('keeps what another client wrote into it, byte by byte of each entry', async () => {
    const repository = await repositoryWithImage('other/client');
    const foreign = { ...descriptorOf(image.manifest), annotations: { by: 'another' }, data: 'e30=', 'vendor.field': [1, { a: null }] };
    const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [foreign], annotations: { top: 'kept' } };
    await repository.putTag(referrersTagOf(subject), manifestFromBytes(Buffer.from(JSON.stringify(index)), mediaType.ociIndex));

    await pushBuilt(repository, buildReferrer(image));

    const { bytes } = await repository.readManifest(referrersTagOf(subject));
    const written = JSON.parse(Buffer.from(bytes).toString('utf8')) as typeof index;
    expect(written).toMatchObject({ annotations: { top: 'kept' } });
    expect(written.manifests[0]).toEqual(foreign);
    expect(written.manifests).toHaveLength(2);
  });

  async function digestsOf(repository: RepositoryClient): Promise<string[]> {
    const digests: string[] = [];
    for await (const each of repository.listReferrers(subject)) digests.push(each.digest);
    return digests;
  }
});

function seedsOf(process: number): readonly number[] {
  return [0, 1].map((each) => process * 10 + each);
}

/** Pushes its referrers one after another, and waits after each as a worker would. */
function pusher(origin: string, name: string, number: number): string {
  return `
    import { parseRepositoryName } from '@waybill/oci-model';
    import { RegistryClient } from '@waybill/oci-registry';
    import { buildImage, buildReferrer, pushBuilt } from '@waybill/testing';
    const client = new RegistryClient({ origin: ${JSON.stringify(origin)} });
    const repository = client.repository(parseRepositoryName(${JSON.stringify(name)}));
    const image = buildImage({ seed: 91 });
    console.log(JSON.stringify('ready'));
    for (const seed of ${JSON.stringify(seedsOf(number))}) await pushBuilt(repository, buildReferrer(image, { seed }));
    console.log(JSON.stringify('pushed'));
    client.close();
  `;
}
