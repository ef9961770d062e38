import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { buildImage, describeWith, pushBuilt, until } from '@waybill/testing';
import { type LocalRegistryProcess, startLocalRegistryProcess } from './start-local-registry-process.js';

interface ToldEvent {
  readonly action: string;
  readonly target: { readonly tag?: string; readonly mediaType: string; readonly repository: string };
  readonly source: { readonly instanceID: string };
}

describeWith('docker-registry', 'a local registry that tells what happens there', () => {
  let folder: string;
  let sink: Server;
  let registry: LocalRegistryProcess;
  const told: ToldEvent[] = [];
  const authorizations = new Set<string | undefined>();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-registry-'));
    const take = async (request: IncomingMessage): Promise<void> => {
      authorizations.add(request.headers.authorization);
      told.push(...(JSON.parse(await text(request)) as { readonly events: ToldEvent[] }).events);
    };
    sink = createServer((request, response) => void take(request).then(() => response.writeHead(204).end())).listen(0, '127.0.0.1');
    await once(sink, 'listening');
    const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/told`;
    const notifications = { url, secret: 'a-secret' };
    registry = await startLocalRegistryProcess({ name: 'prod', dataDir: join(folder, 'prod'), engine: 'docker-registry', notifications });
  });
  afterEach(async () => {
    await registry.stop();
    sink.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('tells of manifests and of no blobs, with the secret, and under another id after it was collected', async () => {
    const client = new RegistryClient({ origin: registry.url });
    const repository = client.repository(parseRepositoryName('team/app'));
    const image = buildImage({ seed: 1 });
    await pushBuilt(repository, image);
    await repository.putTag(parseTag('1.0.0'), image.manifest);

    await until('the tag was told', () => told.some(({ target }) => target.tag === '1.0.0'));
    expect(new Set(told.map(({ target }) => target.mediaType))).toEqual(new Set([image.manifest.mediaType]));
    expect([...authorizations]).toEqual(['Bearer a-secret']);
    const before = new Set(told.map(({ source }) => source.instanceID));

    await registry.collect({ isDryRun: false });
    await repository.readManifest(image.manifest.digest);
    client.close();

    await until('another process told something', () => told.some(({ source }) => !before.has(source.instanceID)));
  });
});
