import { describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { buildImage, contentErrorOf, sample, type Script, scriptedRegistries } from '@waybill/testing';

const { app, latest } = sample;
const { manifest } = buildImage();
const type = manifest.mediaType;

describe('resolving tags', () => {
  const registries = scriptedRegistries();

  it('asks for the head alone', async () => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
    });

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(server.requests).toMatchObject([{ method: 'HEAD', url: `/v2/${app}/manifests/latest` }]);
    expect(server.requests[0]?.headers.accept).toContain(type);
  });

  it.each([
    ['gives no digest', {}],
    ['gives a garbled digest', { 'docker-content-digest': 'sha256:abc' }],
  ])('reads the manifest when the head %s', async (_title, headers) => {
    const { server, repository } = await registries.start((request, response) => {
      response.writeHead(200, { 'content-type': type, ...headers }).end(request.method === 'GET' ? manifest.bytes : undefined);
    });

    expect(await repository.resolveTag(latest)).toBe(manifest.digest);
    expect(server.requests.map((request) => request.method)).toEqual(['HEAD', 'GET']);
  });

  it('reads the manifest where HEAD is not known, and finds it absent there too', async () => {
    const { repository } = await registries.start((request, response) => response.writeHead(request.method === 'HEAD' ? 405 : 404).end());

    expect(await repository.resolveTag(latest)).toBeUndefined();
  });

  it('is undefined on 404 and on nothing else', async () => {
    const { repository } = await registries.start((_request, response, index) => response.writeHead(index === 0 ? 404 : 503).end());

    expect(await repository.resolveTag(latest)).toBeUndefined();
    expect((await contentErrorOf(repository.resolveTag(latest))).code).toBe('unavailable');
  });
});

describe('looking for a manifest', () => {
  const registries = scriptedRegistries();

  it.each([
    ['there', 200, true],
    ['absent', 404, false],
  ])('asks for the head alone, and says that it is %s', async (_what, status, isThere) => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(status, { 'docker-content-digest': manifest.digest }).end();
    });

    expect(await repository.hasManifest(manifest.digest)).toBe(isThere);
    expect(server.requests).toMatchObject([{ method: 'HEAD', url: `/v2/${app}/manifests/${manifest.digest}` }]);
  });

  it('rejects what is neither', async () => {
    const { repository } = await registries.start((_request, response) => response.writeHead(503).end());

    expect((await contentErrorOf(repository.hasManifest(manifest.digest))).code).toBe('unavailable');
  });
});

describe('listing tags', () => {
  const registries = scriptedRegistries();

  it('follows the pages', async () => {
    const { server, repository } = await registries.start((_request, response, index) => {
      const pages = [['a', 'b'], [], ['c']];
      const headers = index < 2 ? { link: `</v2/${app}/tags/list?n=1000&last=${index}>; rel="next"` } : {};
      response.writeHead(200, headers).end(JSON.stringify({ name: app, tags: pages[index] }));
    });

    expect(await listed(repository.listTags())).toEqual(['a', 'b', 'c']);
    expect(server.requests.map((request) => request.url)).toEqual([
      `/v2/${app}/tags/list?n=1000`,
      `/v2/${app}/tags/list?n=1000&last=0`,
      `/v2/${app}/tags/list?n=1000&last=1`,
    ]);
  });

  it('takes the whole list from a registry that knows no pages', async () => {
    const tags = Array.from({ length: 3000 }, (_, index) => `1.0.${index}`);
    const { repository } = await registries.start((_request, response) => response.end(JSON.stringify({ name: app, tags })));

    expect(await listed(repository.listTags())).toEqual(tags);
  });

  it('asks for no page that nobody takes', async () => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(200, { link: '</v2/next>; rel="next"' }).end('{"tags":["a","b"]}');
    });

    for await (const tag of repository.listTags()) {
      expect(tag).toBe('a');
      break;
    }

    expect(server.requests).toHaveLength(1);
  });

  it('sends a listing to no other host', async () => {
    const other = await registries.elsewhere((_request, response) => response.end('{"tags":["stolen"]}'));
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(200, { link: `<${other.origin}/v2/${app}/tags/list>; rel="next"` }).end('{"tags":[]}');
    });

    expect((await contentErrorOf(listed(repository.listTags()))).code).toBe('protocol');
    expect(other.requests).toEqual([]);
  });

  it('gives up on pages without end', async () => {
    const { server, repository } = await registries.start((_request, response, index) => {
      response.writeHead(200, { link: `</v2/${app}/tags/list?page=${index}>; rel="next"` }).end('{"tags":[]}');
    });

    const error = await contentErrorOf(listed(repository.listTags()));

    expect(error).toMatchObject({ code: 'protocol', retryable: false });
    expect(server.requests).toHaveLength(1000);
  });

  const bad: readonly (readonly [string, string, Script])[] = [
    [
      'a page that is its own next',
      'protocol',
      (request, response) => response.writeHead(200, { link: `<${request.url}>; rel="next"` }).end('{}'),
    ],
    ['no JSON', 'protocol', (_request, response) => response.end('<html>')],
    ['no list', 'protocol', (_request, response) => response.end('{"tags":"a"}')],
    ['a tag that is none', 'protocol', (_request, response) => response.end('{"tags":["a","../b"]}')],
    ['an endless list', 'protocol', (_request, response) => response.end(`{"tags":["${'a'.repeat(33 * 1024 * 1024)}"]}`)],
    ['404', 'not-found', (_request, response) => response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}')],
    ['a list that breaks off', 'unreachable', (_request, response) => response.writeHead(200).write('{"tags":[', () => response.destroy())],
  ];

  it.each(bad)('rejects %s with %s', async (_title, code, script) => {
    const { repository } = await registries.start(script);

    expect((await contentErrorOf(listed(repository.listTags()))).code).toBe(code);
  });
});

async function listed(tags: AsyncIterable<Tag>): Promise<Tag[]> {
  const list: Tag[] = [];
  for await (const tag of tags) list.push(tag);
  return list;
}
