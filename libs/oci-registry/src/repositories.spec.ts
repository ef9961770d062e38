import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName, type RepositoryName } from '@waybill/oci-model';
import {
  buildImage,
  contentErrorOf,
  describeWith,
  pushBuilt,
  sample,
  type Script,
  scriptedRegistries,
  startDockerRegistry,
} from '@waybill/testing';
import { RegistryClient } from './registry-client.js';

describe('listing repositories', () => {
  const registries = scriptedRegistries();

  it('follows the pages', async () => {
    const { server, client } = await registries.start((_request, response, index) => {
      const pages = [['a', 'b/c'], null, ['d']];
      const headers = index < 2 ? { link: `</v2/_catalog?n=1000&last=${index}>; rel="next"` } : {};
      response.writeHead(200, headers).end(JSON.stringify({ repositories: pages[index] }));
    });

    expect(await listed(client.listRepositories())).toEqual(['a', 'b/c', 'd']);
    expect(server.requests.map((request) => request.url)).toEqual([
      '/v2/_catalog?n=1000',
      '/v2/_catalog?n=1000&last=0',
      '/v2/_catalog?n=1000&last=1',
    ]);
  });

  it('gives what lies below the prefix, without it', async () => {
    const script: Script = (_request, response) =>
      response.end('{"repositories":["acme","acme/app","acme/team/app","acmeother/app","app"]}');
    const { client } = await registries.start(script, { prefix: parseRepositoryName('acme') });

    expect(await listed(client.listRepositories())).toEqual(['app', 'team/app']);
  });

  it('leaves out the repositories of our own checks', async () => {
    const repositories = ['acme/waybill-check/one', 'acme/waybill-check/two', 'acme/waybill-check/mine', 'acme/app'];
    const { client } = await registries.start((_request, response) => response.end(JSON.stringify({ repositories })), {
      prefix: parseRepositoryName('acme'),
    });

    expect(await listed(client.listRepositories())).toEqual(['waybill-check/mine', 'app']);
  });

  it('asks for no page that nobody takes', async () => {
    const { server, client } = await registries.start((_request, response) => {
      response.writeHead(200, { link: '</v2/next>; rel="next"' }).end('{"repositories":["a","b"]}');
    });

    for await (const name of client.listRepositories()) {
      expect(name).toBe('a');
      break;
    }

    expect(server.requests).toHaveLength(1);
  });

  it('gives up on pages without end', async () => {
    const { server, client } = await registries.start((_request, response, index) => {
      response.writeHead(200, { link: `</v2/_catalog?page=${index}>; rel="next"` }).end('{"repositories":[]}');
    });

    expect(await contentErrorOf(listed(client.listRepositories()))).toMatchObject({ code: 'protocol', retryable: false });
    expect(server.requests).toHaveLength(1000);
  });

  it('sends a listing to no other host', async () => {
    const other = await registries.elsewhere((_request, response) => response.end('{"repositories":["stolen"]}'));
    const { client } = await registries.start((_request, response) => {
      response.writeHead(200, { link: `<${other.origin}/v2/_catalog>; rel="next"` }).end('{"repositories":[]}');
    });

    expect((await contentErrorOf(listed(client.listRepositories()))).code).toBe('protocol');
    expect(other.requests).toEqual([]);
  });

  it('stops when it is told to', async () => {
    const { client } = await registries.start(() => undefined);
    const aborting = new AbortController();

    const listing = contentErrorOf(listed(client.listRepositories(aborting.signal)));
    aborting.abort();

    expect((await listing).code).toBe('aborted');
  });

  const bad: readonly (readonly [string, string, Script])[] = [
    ['a registry without a catalogue', 'not-found', (_request, response) => response.writeHead(404).end()],
    ['a catalogue for others', 'unauthorized', (_request, response) => response.writeHead(401).end()],
    ['a forbidden catalogue', 'denied', (_request, response) => response.writeHead(403).end()],
    ['no JSON', 'protocol', (_request, response) => response.end('<html>')],
    ['no list', 'protocol', (_request, response) => response.end('{"repositories":{}}')],
    ['a name that is none', 'protocol', (_request, response) => response.end('{"repositories":["a","../b"]}')],
    ['an endless page', 'protocol', (_request, response) => response.end(`{"repositories":["${'a'.repeat(33 * 1024 * 1024)}"]}`)],
  ];

  it.each(bad)('rejects %s with %s', async (_title, code, script) => {
    const { client } = await registries.start(script);

    expect((await contentErrorOf(listed(client.listRepositories()))).code).toBe(code);
  });
});

describeWith('docker-registry', 'the catalogue of Distribution', () => {
  it('lists what was pushed', async () => {
    const registry = await startDockerRegistry();
    const client = new RegistryClient({ origin: registry.url });
    try {
      for (const name of ['team/app', 'app']) await pushBuilt(client.repository(parseRepositoryName(name)), buildImage());

      expect(await listed(client.listRepositories())).toEqual(['app', sample.app]);
    } finally {
      client.close();
      await registry.stop();
    }
  });
});

async function listed(names: AsyncIterable<RepositoryName>): Promise<RepositoryName[]> {
  const list: RepositoryName[] = [];
  for await (const name of names) list.push(name);
  return list;
}
