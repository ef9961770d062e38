import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  buildImage,
  contentErrorOf,
  createAuthority,
  describeWith,
  type ForwardProxy,
  pushBuilt,
  type RunningRegistry,
  sample,
  startDockerRegistry,
  startForwardProxy,
} from '@waybill/testing';
import { RegistryClient } from './registry-client.js';

const { app, latest } = sample;

describeWith('docker-registry', 'Distribution that asks for client certificates', () => {
  const authority = createAuthority();
  const client = authority.issue({ subject: 'waybill' });
  let registry: RunningRegistry;
  let proxy: ForwardProxy;
  beforeAll(async () => {
    [registry, proxy] = await Promise.all([startDockerRegistry({ tls: { authority, askClients: true } }), startForwardProxy()]);
  });
  afterAll(async () => {
    await Promise.all([registry.stop(), proxy.stop()]);
  });

  it.each([
    ['directly', 1],
    ['through a proxy', 2],
  ])('is written to and read %s', async (way, seed) => {
    const registryClient = new RegistryClient({
      origin: registry.url,
      tls: { ca: authority.ca, ...client },
      ...(way === 'directly' ? {} : { proxy: { https: { url: proxy.url } } }),
    });
    const repository = registryClient.repository(app);
    const image = buildImage({ seed });

    await pushBuilt(repository, image);
    await repository.putTag(latest, image.manifest);

    expect((await repository.readManifest(latest)).digest).toBe(image.manifest.digest);
    registryClient.close();
  });

  it.each<[string, () => object]>([
    ['none', () => ({})],
    ['one of another authority', () => createAuthority().issue()],
  ])('says so when it is shown %s', async (_what, shown) => {
    const stranger = new RegistryClient({ origin: registry.url, tls: { ca: authority.ca, ...shown() }, retries: 0 });

    const error = await contentErrorOf(stranger.ping());

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false });
    expect(error.message).toContain('client certificate');
    stranger.close();
  });
});
