import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type BlobRef, digestOf, parseRepositoryName, parseTag, type RepositoryName } from '@waybill/oci-model';
import {
  buildImage,
  contentErrorOf,
  describeWith,
  pushBuilt,
  randomBytes,
  type RunningRegistry,
  startDockerRegistry,
  startTokenServer,
  streamOf,
  type TokenServer,
} from '@waybill/testing';
import type { RegistryClientOptions } from '../options.js';
import { RegistryClient } from '../registry-client.js';
import { basicCredentials, staticCredentials } from './static-credentials.js';

const tag = parseTag('1.0.0');
const bytes = randomBytes(300_000, 'a layer');
const blob: BlobRef = { digest: digestOf(bytes), size: bytes.byteLength };
const users = { anna: 'open sesame', reader: 'only look' };
const anna = { credentials: { write: basicCredentials('anna', users.anna) } };

/** Distribution with a token server of its own: what a scripted answer cannot prove. */
describeWith('docker-registry', 'Distribution that wants tokens', () => {
  let tokens: TokenServer;
  let registry: RunningRegistry;
  let made = 0;
  const clients: RegistryClient[] = [];
  beforeAll(async () => {
    tokens = await startTokenServer({ users });
    registry = await startDockerRegistry({ token: tokens.auth });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await registry.stop();
    await tokens.stop();
  });

  afterEach(() => tokens.change({ allows: (user) => user !== undefined, ttlSeconds: 300, ageSeconds: 0 }));

  function clientOf(options: Partial<RegistryClientOptions> = anna): RegistryClient {
    const client = new RegistryClient({ origin: registry.url, tokenRealms: [tokens.origin], ...options });
    clients.push(client);
    return client;
  }
  function freshName(): RepositoryName {
    made += 1;
    return parseRepositoryName(`team/app-${made}`);
  }

  it('gets an image and gives it back, with one token for each scope', async () => {
    const name = freshName();
    const image = buildImage();
    const repository = clientOf().repository(name);
    const before = tokens.requests.length;

    await pushBuilt(repository, image);
    await repository.putTag(tag, image.manifest);

    expect(await repository.resolveTag(tag)).toBe(image.manifest.digest);
    expect(tokens.requests.slice(before).map(({ method, user, scopes }) => [method, user, ...scopes])).toEqual([
      ['GET', 'anna', `repository:${name}:pull,push`],
    ]);
  });

  it('is read by others with what they may', async () => {
    const name = freshName();
    const image = buildImage();
    await pushBuilt(clientOf().repository(name), image);
    tokens.change({ allows: (_user, _resource, action) => action === 'pull' });

    const reader = clientOf({ credentials: { write: basicCredentials('reader', users.reader) } }).repository(name);
    const nobody = clientOf({}).repository(name);
    const refused = await contentErrorOf(reader.putTag(tag, image.manifest));

    expect((await reader.readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
    expect((await nobody.readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
    expect(refused).toMatchObject({ code: 'denied', retryable: false });
    expect(refused.message).toContain(`would have to grant repository:${name}:pull,push`);
    expect(await contentErrorOf(nobody.putTag(tag, image.manifest))).toMatchObject({ code: 'unauthorized', retryable: false });
  });

  it('refuses a wrong password for good', async () => {
    const stranger = clientOf({ credentials: { write: basicCredentials('anna', 'shut sesame') } });
    const before = tokens.requests.length;

    const error = await contentErrorOf(stranger.repository(freshName()).resolveTag(tag));

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false, operation: 'get token' });
    expect(error.message).toMatch(/^127\.0\.0\.1:\d+, the token server of 127\.0\.0\.1:\d+, answered 401 \(who are you\?\)/);
    expect(tokens.requests).toHaveLength(before + 1);
  });

  it('takes a mount whose token names both repositories', async () => {
    const [from, name] = [freshName(), freshName()];
    const client = clientOf();
    await client.repository(from).pushBlob(blob, streamOf(bytes));

    expect(await client.repository(name).mountBlob(blob, from)).toEqual({ mounted: true });
    expect(tokens.requests.at(-1)?.scopes).toEqual([`repository:${from}:pull`, `repository:${name}:pull,push`]);
  });

  it('declines a mount from what may not be read, and takes the upload', async () => {
    const [from, name] = [freshName(), freshName()];
    const client = clientOf();
    await client.repository(from).pushBlob(blob, streamOf(bytes));
    tokens.change({ allows: (_user, resource) => resource === `repository:${name}` });
    const repository = clientOf().repository(name);

    expect(await repository.mountBlob(blob, from)).toEqual({ mounted: false });
    await repository.pushBlob(blob, streamOf(bytes));

    expect(await repository.probeBlob(blob)).toBe(true);
  });

  it('lists its catalogue to who may see it', async () => {
    const name = freshName();
    const client = clientOf();
    await pushBuilt(client.repository(name), buildImage());

    const listed: string[] = [];
    for await (const each of client.listRepositories()) listed.push(each);

    expect(listed).toContain(name);
    expect(tokens.requests.at(-1)?.scopes).toEqual(['registry:catalog:*']);
  });

  it('gets a new token when one has run out', async () => {
    const name = freshName();
    const image = buildImage();
    const repository = clientOf().repository(name);
    await pushBuilt(repository, image);
    tokens.rotateKey();
    await registry.restart({ token: tokens.auth });

    expect((await repository.readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
  });

  it('goes on with an upload when its token would not last, with another one', async () => {
    tokens.change({ ttlSeconds: 60, ageSeconds: 35 });
    const name = freshName();
    const before = tokens.requests.length;

    await clientOf().repository(name).pushBlob(blob, streamOf(bytes));

    expect(tokens.requests.slice(before).map(({ scopes }) => scopes)).toEqual([
      [`repository:${name}:pull,push`],
      [`repository:${name}:pull,push`],
    ]);
  });

  it('has a blob sent again whose token was refused with the bytes', async () => {
    const name = freshName();
    const repository = clientOf().repository(name);
    // A refused mount leaves an open session behind.
    const session = await repository.mountBlob({ ...blob, digest: digestOf(Buffer.from('nowhere')) }, freshName());
    tokens.rotateKey();
    await registry.restart({ token: tokens.auth });

    const upload = session.mounted ? undefined : session.upload;
    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes), upload === undefined ? {} : { upload }));
    await repository.pushBlob(blob, streamOf(bytes));

    expect(upload).toBeDefined();
    expect(error).toMatchObject({ code: 'unauthorized', retryable: true, status: 401, operation: 'push blob' });
    expect(await repository.probeBlob(blob)).toBe(true);
  });

  it('deletes with credentials of their own, which need to write nothing', async () => {
    tokens.change({ allows: (user, _resource, action) => (user === 'reader') === (action === 'delete') });
    const name = freshName();
    const image = buildImage();
    const credentials = { ...anna.credentials, delete: basicCredentials('reader', users.reader) };
    const repository = clientOf({ credentials }).repository(name);
    await pushBuilt(repository, image);

    await repository.deleteManifest(image.manifest.digest);

    expect((await contentErrorOf(repository.readManifest(image.manifest.digest))).code).toBe('not-found');
    expect(tokens.requests.filter(({ user }) => user === 'reader').at(-1)?.scopes).toEqual([`repository:${name}:delete`]);
    expect(await contentErrorOf(clientOf().repository(name).deleteManifest(image.manifest.digest))).toMatchObject({ code: 'denied' });
  });

  it('needs no second connection for its tokens', async () => {
    const image = buildImage();
    const repository = clientOf({ ...anna, connections: 1 }).repository(freshName());

    await Promise.all([pushBuilt(repository, image), repository.resolveTag(tag)]);

    expect((await repository.readManifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
  });

  it('takes an identity token to its token server only', async () => {
    tokens.change({ identityTokens: { 'an identity token': 'anna' } });
    const credentials = { write: staticCredentials({ kind: 'identity-token', token: 'an identity token' }) };
    const name = freshName();

    await pushBuilt(clientOf({ credentials }).repository(name), buildImage());

    expect(tokens.requests.at(-1)).toMatchObject({ method: 'POST', user: 'anna', scopes: [`repository:${name}:pull,push`] });
  });

  it('is not told who we are where its token server was not declared', async () => {
    const before = tokens.requests.length;
    const undeclared = clientOf({ ...anna, tokenRealms: [] });

    const error = await contentErrorOf(undeclared.repository(freshName()).resolveTag(tag));

    expect(error).toMatchObject({ code: 'unauthorized', retryable: false, details: { realm: tokens.origin } });
    expect(error.message).toContain(`add "${tokens.origin}" to its tokenRealms`);
    expect(tokens.requests).toHaveLength(before);
  });
});
