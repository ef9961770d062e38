import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { basicCredentials, RegistryClient } from '@waybill/oci-registry';
import {
  buildImage,
  describeWith,
  memoryStoreWith,
  type RunningRegistry,
  type ScriptedServer,
  startDockerRegistry,
  startFaultyFront,
  startTokenServer,
  type TokenServer,
} from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import { verifyGraph } from './verify-graph.js';

const users = { anna: 'open sesame' };
const image = buildImage({ layers: 0 }); // one blob, so that nothing else is on its way when the registry starts anew

describeWith('docker-registry', 'copyGraph to a registry that stops taking a token', () => {
  let tokens: TokenServer;
  let registry: RunningRegistry;
  let front: ScriptedServer;
  let client: RegistryClient;
  const puts: string[] = [];
  beforeAll(async () => {
    tokens = await startTokenServer({ users });
    registry = await startDockerRegistry({ token: tokens.auth });
    front = await startFaultyFront(registry.url, async ({ method, url, headers }) => {
      if (method !== 'PUT' || !url.includes('/blobs/uploads/')) return undefined;
      puts.push(headers.authorization ?? '');
      if (puts.length > 1) return undefined;
      tokens.rotateKey();
      await registry.restart({ token: tokens.auth });
      return undefined;
    });
    client = new RegistryClient({
      origin: front.origin,
      tokenRealms: [tokens.origin],
      credentials: { write: basicCredentials('anna', users.anna) },
    });
  });
  afterAll(async () => {
    client.close();
    await front.stop();
    await registry.stop();
    await tokens.stop();
  });

  it('sends the blob again with another one', async () => {
    const store = client.repository(parseRepositoryName('team/app'));

    const report = await copyGraph(await memoryStoreWith(image), image.manifest.digest, [{ id: 'prod', store, tags: [parseTag('1.0.0')] }]);

    expect(report.targets.get('prod')).toMatchObject({ outcome: 'copied' });
    expect(await verifyGraph(store, image.manifest.digest)).toMatchObject({ manifests: 1, blobs: 1 });
    expect(puts).toHaveLength(2);
    expect(puts[0]).toMatch(/^Bearer /);
    expect(puts[1]).not.toBe(puts[0]);
  });
});
