import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Artifact } from '@waybill/contracts/http';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { buildImage, describeWith, pushBuilt, type RunningRegistry, startDockerRegistry } from '@waybill/testing';
import { type ApiUnderTest, startApi } from '../../api-under-test.spec-helper.js';
import { deadAddress } from '../../registries-under-test.spec-helper.js';

describeWith('docker-registry', 'where an artifact is, at registries of Distribution', () => {
  let api: ApiUnderTest;
  const running: RunningRegistry[] = [];
  const image = buildImage();

  async function run(options: Parameters<typeof startDockerRegistry>[0] = {}): Promise<string> {
    const registry = await startDockerRegistry(options);
    running.push(registry);
    return registry.url;
  }

  beforeAll(async () => {
    api = await startApi();
    const [holds, empty] = [await run(), await run()];
    const forbids = await run({ htpasswd: { username: 'someone', password: 'else' } });
    const registries = [
      `  holds: { role: ci-snapshots, location: eu, url: "${holds}" }`,
      `  empty: { role: ci-tests, location: eu, url: "${empty}" }`,
      `  forbids: { role: prod, location: eu, url: "${forbids}" }`,
      `  dead: { role: archive, location: eu, url: "${await deadAddress()}" }`,
    ];
    const source = `apiVersion: waybill/v1\nkind: Topology\nmetadata: { name: spec }\nlocations: { eu: {} }\nregistries:\n${registries.join('\n')}\n`;
    const applied = await api.send('PUT', '/api/v1/topology', { body: { source } });
    if (applied.status !== 200) throw new Error(applied.text);
    const client = new RegistryClient({ origin: holds });
    const repository = client.repository(parseRepositoryName('team-a/app'));
    await pushBuilt(repository, image);
    await repository.putTag(parseTag('1.0.0'), image.manifest);
    client.close();
  });
  afterAll(async () => {
    await api.stop();
    for (const registry of running) await registry.stop();
  });

  it('tells what has it from what has not, what forbids to look and what is gone', async () => {
    const answer = await api.send('GET', `/api/v1/artifacts/${image.manifest.digest}?repository=team-a/app`);
    const { registries, mediaType } = answer.body as Artifact;

    expect(mediaType).toBe(image.manifest.mediaType);
    expect(registries.map(({ registry, state, reason }) => [registry, state, reason])).toEqual([
      ['holds', 'present', undefined],
      ['empty', 'absent', undefined],
      ['forbids', 'unknown', 'unauthorized'],
      ['dead', 'unknown', 'unreachable'],
    ]);
  });

  it('resolves a tag', async () => {
    const answer = await api.send('GET', '/api/v1/artifacts?reference=holds/team-a/app:1.0.0');

    expect(answer.body).toMatchObject({ digest: image.manifest.digest });
  });
});
