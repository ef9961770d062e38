import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parseRepositoryName, parseTag, type Tag } from '@waybill/oci-model';
import {
  buildImage,
  contentErrorOf,
  describeWith,
  type FrontFaults,
  pushBuilt,
  type RunningRegistry,
  sample,
  scriptedRegistries,
  startDockerRegistry,
  startFaultyFront,
} from '@waybill/testing';
import type { RegistryClientOptions } from './options.js';
import { RegistryClient } from './registry-client.js';
import type { RepositoryClient } from './repository-client.js';
import { makeThrowAway } from './throw-away.js';

const { app, latest } = sample;
const image = buildImage({ seed: 71 });
const other = buildImage({ seed: 72 });
const stable = parseTag('stable');
const headers = { 'docker-content-digest': image.manifest.digest, 'content-type': image.manifest.mediaType };

describe('untagging where the registry can', () => {
  const registries = scriptedRegistries();

  it('asks for it, and for nothing else', async () => {
    const { server, repository } = await registries.start(
      (request, response) => {
        response.writeHead(request.method === 'DELETE' ? 202 : 200, headers).end();
      },
      { capabilities: { tagDelete: true } },
    );

    expect(await repository.untag(latest)).toBe('removed');

    expect(server.requests.map(({ method, url }) => [method, url])).toEqual([
      ['HEAD', `/v2/${app}/manifests/latest`],
      ['DELETE', `/v2/${app}/manifests/latest`],
    ]);
  });

  it.each([
    ['leaves alone a manifest that stays', true, ['HEAD', 'GET', 'DELETE', 'HEAD']],
    ['pushes a manifest again that went with its tag', false, ['HEAD', 'GET', 'DELETE', 'HEAD', 'PUT']],
  ])('%s, where nobody knows what the registry does', async (_what, stays, methods) => {
    let isThere = true;
    const { server, repository } = await registries.start((request, response) => {
      if (request.method === 'DELETE') isThere = stays;
      if (request.method === 'DELETE') return response.writeHead(202).end();
      if (request.method === 'PUT') return response.writeHead(201).end();
      return response.writeHead(isThere ? 200 : 404, headers).end(request.method === 'GET' ? image.manifest.bytes : undefined);
    });

    expect(await repository.untag(latest)).toBe('removed');

    expect(server.requests.map(({ method }) => method)).toEqual(methods);
    expect(server.requests.at(-1)?.url).toBe(`/v2/${app}/manifests/${image.manifest.digest}`);
  });

  it('asks nothing of a registry that is known to delete nothing', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(200, headers).end(), {
      capabilities: { tagDelete: false, manifestDelete: false },
    });

    expect((await contentErrorOf(repository.untag(latest))).code).toBe('unsupported');

    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('finds a tag absent that goes while it is asked for', async () => {
    const { repository } = await registries.start((_request, response, index) =>
      response.writeHead(index === 0 ? 200 : 404, headers).end(),
    );

    expect(await repository.untag(latest)).toBe('absent');
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'denied'],
    [429, 'rate-limited'],
    [503, 'unavailable'],
  ])('goes no way round a %d, which is %s', async (status, code) => {
    const { server, repository } = await registries.start(
      (request, response) => response.writeHead(request.method === 'DELETE' ? status : 200, headers).end(),
      { capabilities: { tagDelete: true } },
    );

    expect((await contentErrorOf(repository.untag(latest))).code).toBe(code);
    expect(server.requests).toHaveLength(2);
  });
});

/** Distribution 2.8 deletes manifests with all their tags, and no tag alone. */
describeWith('docker-registry', 'untagging at Distribution 2.8', () => {
  let registry: RunningRegistry;
  let made = 0;
  const endings: (() => unknown)[] = [];
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry.stop());
  afterEach(async () => {
    for (const end of endings.splice(0)) await end();
  });

  function repositoryAt(origin: string, name: string, options: Partial<RegistryClientOptions> = {}): RepositoryClient {
    const client = new RegistryClient({ origin, retries: 0, ...options });
    endings.push(() => client.close());
    return client.repository(parseRepositoryName(name));
  }

  /** A repository with two tags on one image, and a client whose requests fail as told. */
  async function tagged(faults: FrontFaults): Promise<{ readonly direct: RepositoryClient; readonly faulty: RepositoryClient }> {
    made += 1;
    const front = await startFaultyFront(registry.url, faults);
    endings.push(() => front.stop());
    const direct = repositoryAt(registry.url, `untag/${made}`);
    await pushBuilt(direct, image);
    for (const tag of [latest, stable]) await direct.putTag(tag, image.manifest);
    return { direct, faulty: repositoryAt(front.origin, `untag/${made}`) };
  }

  async function tagsOf(repository: RepositoryClient): Promise<Record<Tag, string | undefined>> {
    const tags: Record<Tag, string | undefined> = {};
    for await (const tag of repository.listTags()) tags[tag] = await repository.resolveTag(tag);
    return tags;
  }

  const whole = { [latest]: image.manifest.digest, [stable]: image.manifest.digest };

  it('goes the way round at once where the registry is known to be unable', async () => {
    const methods: string[] = [];
    const { direct } = await tagged(() => undefined);
    const told = repositoryAt(registry.url, direct.name, {
      capabilities: { tagDelete: false },
      observe: ({ method }) => methods.push(method),
    });

    expect(await told.untag(latest)).toBe('removed');

    expect(await tagsOf(direct)).toEqual({ [stable]: image.manifest.digest });
    expect(methods.slice(0, 3)).toEqual(['HEAD', 'GET', 'DELETE']);
  });

  it('leaves no manifest of its own behind', async () => {
    const { direct } = await tagged(() => undefined);

    await direct.untag(latest);

    expect(await revisionsOf(registry, direct.name)).toEqual([image.manifest.digest]);
  });

  it('leaves a tag that names another digest on it, and ends what an earlier try has begun', async () => {
    const { direct } = await tagged(() => undefined);
    const leftOver = makeThrowAway();
    await pushBuilt(direct, other);
    await direct.putTag(stable, other.manifest);
    await direct.putTag(latest, leftOver);

    expect(await direct.untagFrom(stable, image.manifest.digest)).toBe('moved');
    expect(await direct.untagFrom(latest, image.manifest.digest)).toBe('removed');
    expect(await direct.untagFrom(latest, image.manifest.digest)).toBe('absent');

    expect(await tagsOf(direct)).toEqual({ [stable]: other.manifest.digest });
  });

  it('leaves everything as it was when the tag cannot be moved', async () => {
    const { direct, faulty } = await tagged(({ method, url }) =>
      method === 'PUT' && url.endsWith('/latest') ? { status: 403 } : undefined,
    );

    expect((await contentErrorOf(faulty.untag(latest))).code).toBe('denied');

    expect(await tagsOf(direct)).toEqual(whole);
    expect(await revisionsOf(registry, direct.name)).toEqual([image.manifest.digest]);
  });

  it('goes on when the answer to the move is lost', async () => {
    const { direct, faulty } = await tagged(({ method, url }) => (method === 'PUT' && url.endsWith('/latest') ? 'lose-answer' : undefined));

    expect(await faulty.untag(latest)).toBe('removed');

    expect(await tagsOf(direct)).toEqual({ [stable]: image.manifest.digest });
  });

  it('says so when the move is lost, and has moved nothing', async () => {
    const { direct, faulty } = await tagged(({ method, url }) =>
      method === 'PUT' && url.endsWith('/latest') ? 'lose-request' : undefined,
    );

    expect((await contentErrorOf(faulty.untag(latest))).code).toBe('unreachable');

    expect(await tagsOf(direct)).toEqual(whole);
  });

  it('puts the tag back when what it was moved to cannot be deleted', async () => {
    let isMoved = false;
    const { direct, faulty } = await tagged(({ method, url }) => {
      if (method === 'PUT' && url.endsWith('/latest')) isMoved = true;
      return method === 'DELETE' && isMoved ? { status: 405 } : undefined;
    });

    expect((await contentErrorOf(faulty.untag(latest))).code).toBe('unsupported');

    expect(await tagsOf(direct)).toEqual(whole);
  });

  it('moves no tag that moved meanwhile', async () => {
    const { direct, faulty } = await tagged(async ({ method, url }) => {
      if (method === 'GET' && url.endsWith(image.manifest.digest)) {
        await pushBuilt(direct, other);
        await direct.putTag(latest, other.manifest);
      }
      return undefined;
    });

    expect(await contentErrorOf(faulty.untag(latest))).toMatchObject({ code: 'unavailable', retryable: true });

    expect(await tagsOf(direct)).toEqual({ ...whole, [latest]: other.manifest.digest });
  });

  it('ends what a process left undone that died in between', async () => {
    const { direct } = await tagged(() => undefined);
    await direct.putTag(latest, makeThrowAway());

    expect(await direct.untag(latest)).toBe('removed');

    expect(await tagsOf(direct)).toEqual({ [stable]: image.manifest.digest });
    expect(await revisionsOf(registry, direct.name)).toEqual([image.manifest.digest]);
  });

  it('is not stopped by its signal once the tag has moved', async () => {
    const controller = new AbortController();
    const { direct, faulty } = await tagged(({ method, url }) => {
      if (method === 'PUT' && url.endsWith('/latest')) controller.abort();
      return undefined;
    });

    expect(await faulty.untag(latest, controller.signal)).toBe('removed');

    expect(await tagsOf(direct)).toEqual({ [stable]: image.manifest.digest });
  });

  it('lets two at once remove a tag together', async () => {
    const { direct } = await tagged(() => undefined);
    const second = repositoryAt(registry.url, direct.name);

    const outcomes = await Promise.allSettled([direct.untag(latest), second.untag(latest)]);

    expect(outcomes.map(({ status }) => status)).toContain('fulfilled');
    expect(await direct.untag(latest)).toBe('absent');
    expect(await tagsOf(direct)).toEqual({ [stable]: image.manifest.digest });
  });
});

describeWith('docker-registry', 'untagging where nothing is deleted', () => {
  it.each([
    ['deletion is off', { deleteEnabled: false }],
    ['nothing is written', { readOnly: true }],
  ])('is unsupported and leaves no trace when %s', async (_title, options) => {
    const registry = await startDockerRegistry();
    const client = new RegistryClient({ origin: registry.url });
    const repository = client.repository(app);
    await pushBuilt(repository, image);
    await repository.putTag(latest, image.manifest);
    await registry.restart(options);

    const error = await contentErrorOf(repository.untag(latest));

    expect(error).toMatchObject({ code: 'unsupported', retryable: false });
    expect(await repository.resolveTag(latest)).toBe(image.manifest.digest);
    expect(await revisionsOf(registry, app)).toEqual([image.manifest.digest]);
    client.close();
    await registry.stop();
  });
});

/** The manifests that a repository still links to; a deleted one leaves an empty folder. */
async function revisionsOf(registry: RunningRegistry, repository: string): Promise<string[]> {
  const folder = join(registry.dataDir, 'docker/registry/v2/repositories', repository, '_manifests/revisions/sha256');
  const links = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('/link'));
  return links.map((path) => `sha256:${path.split('/')[0]}`);
}
