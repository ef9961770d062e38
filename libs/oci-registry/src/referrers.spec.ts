import { describe, expect, it } from '@jest/globals';
import {
  type Descriptor,
  descriptorOf,
  type Manifest,
  manifestFromBytes,
  mediaType,
  referrerDescriptorOf,
  referrersTagOf,
} from '@waybill/oci-model';
import { buildImage, buildReferrer, contentErrorOf, sample, type Script, scriptedRegistries } from '@waybill/testing';

const { app } = sample;
const image = buildImage({ seed: 81 });
const subject = image.manifest.digest;
const [first, second, third] = [1, 2, 3].map((seed) => referrerDescriptorOf(buildReferrer(image, { seed }).manifest));
const api = `/v2/${app}/referrers/${subject}`;
const tag = `/v2/${app}/manifests/${referrersTagOf(subject)}`;

function indexOf(...manifests: readonly unknown[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests });
}

/** Answers by path; what is not named is a plain 404, as Distribution 2.8 answers to paths that it does not know. */
function answering(scripts: Readonly<Record<string, Script>>): Script {
  return (request, response, index) => {
    const script = scripts[request.url ?? ''] ?? ((_request, other) => other.writeHead(404).end('404 page not found\n'));
    return script(request, response, index);
  };
}

function index(body: string, headers: Readonly<Record<string, string>> = {}): Script {
  return (_request, response) => response.writeHead(200, { 'content-type': mediaType.ociIndex, ...headers }).end(body);
}

function giving({ bytes, mediaType: type }: Manifest): Script {
  return (_request, response) => response.writeHead(200, { 'content-type': type }).end(bytes);
}

function status(code: number, body = ''): Script {
  return (_request, response) => response.writeHead(code).end(body);
}

describe('listing referrers', () => {
  const registries = scriptedRegistries();

  it('merges what the registry lists and what the tag lists', async () => {
    const { repository } = await registries.start(
      answering({ [api]: index(indexOf(first, second)), [tag]: index(indexOf({ ...second, artifactType: 'old/words' }, third)) }),
    );

    expect(await listed(repository.listReferrers(subject))).toEqual([first, second, third]);
  });

  it('leaves the tag alone where only the registry is asked', async () => {
    const { server, repository } = await registries.start(answering({ [api]: index(indexOf(first)), [tag]: index(indexOf(second)) }));

    expect(await listed(repository.listOwnReferrers(subject))).toEqual([first]);
    expect(server.requests.map(({ url }) => url)).toEqual([api]);
  });

  it('follows the pages', async () => {
    const { repository } = await registries.start(
      answering({
        [api]: index(indexOf(first), { link: `<${api}?page=2>; rel="next"` }),
        [`${api}?page=2`]: index(indexOf(second)),
      }),
    );

    expect(await listed(repository.listReferrers(subject))).toEqual([first, second]);
  });

  it.each<[string, Script]>([
    ['a plain 404', status(404, '404 page not found\n')],
    ['405', status(405)],
    ['501', status(501)],
    ['400 UNSUPPORTED', status(400, '{"errors":[{"code":"UNSUPPORTED"}]}')],
    ['a plain 400', status(400)],
    ['406', status(406)],
    ['a list of none', index(indexOf())],
    ['a list that is null', index('{"schemaVersion":2,"manifests":null}')],
  ])('takes the tag alone when the registry says %s', async (_title, script) => {
    const { repository } = await registries.start(answering({ [api]: script, [tag]: index(indexOf(first)) }));

    expect(await listed(repository.listReferrers(subject))).toEqual([first]);
  });

  it.each([
    ['an image', image.manifest],
    [
      'an index, whose children are no referrers',
      manifestFromBytes(Buffer.from(indexOf(descriptorOf(image.manifest))), mediaType.ociIndex),
    ],
  ])('finds none where the tag gives the subject itself, %s, as at GitLab', async (_what, itself) => {
    const path = `/v2/${app}/manifests/${referrersTagOf(itself.digest)}`;
    const { repository } = await registries.start(answering({ [path]: giving(itself) }));

    expect(await listed(repository.listReferrers(itself.digest))).toEqual([]);
  });

  it('does not ask a registry that is known to keep no list', async () => {
    const { server, repository } = await registries.start(answering({ [tag]: index(indexOf(first)) }), {
      capabilities: { referrersApi: false },
    });

    expect(await listed(repository.listReferrers(subject))).toEqual([first]);
    expect(server.requests.map(({ url }) => url)).toEqual([tag]);
  });

  it.each<[string, string, Readonly<Record<string, Script>>]>([
    ['an overloaded registry', 'unavailable', { [api]: status(503) }],
    ['a registry that wants to know who asks', 'unauthorized', { [api]: status(401) }],
    ['a forbidden list', 'denied', { [api]: status(403) }],
    ['a page of a web site', 'protocol', { [api]: (_request, response) => response.end('<html>') }],
    ['some other JSON', 'protocol', { [api]: index('{"name":"team/app"}') }],
    ['an entry that is no descriptor', 'protocol', { [api]: index(indexOf(first, { digest: 'sha256:abc' })) }],
    ['a filter that nobody asked for', 'protocol', { [api]: index(indexOf(first), { 'oci-filters-applied': 'artifactType' }) }],
    ['a second page that is gone', 'not-found', { [api]: index(indexOf(first), { link: `<${api}?page=2>; rel="next"` }) }],
    ['pages in a circle', 'protocol', { [api]: index(indexOf(), { link: `<${api}>; rel="next"` }) }],
    ['a tag that cannot be read', 'unavailable', { [tag]: status(500) }],
    ['a tag that names no index', 'manifest-invalid', { [tag]: giving(buildImage({ seed: 82 }).manifest) }],
    ['an index under the tag that lists no descriptor', 'manifest-invalid', { [tag]: index(indexOf({ digest: 'x' })) }],
  ])('does not take %s for none, but says %s', async (_title, code, scripts) => {
    const { repository } = await registries.start(answering(scripts));

    expect((await contentErrorOf(listed(repository.listReferrers(subject)))).code).toBe(code);
  });

  it('stops where a list has no end', async () => {
    const { repository } = await registries.start((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page'));
      const manifests = Array.from({ length: 1000 }, (_, each) => ({ ...first, digest: digestNumber(page * 1000 + each) }));
      index(indexOf(...manifests), { link: `<${api}?page=${page + 1}>; rel="next"` })(request, response, 0);
    });

    expect(await contentErrorOf(listed(repository.listReferrers(subject)))).toMatchObject({
      code: 'protocol',
      message: expect.stringContaining('more than 100000'),
    });
  });
});

describe('pushing a referrer', () => {
  const registries = scriptedRegistries();
  const referrer = buildReferrer(image);
  const put = `/v2/${app}/manifests/${referrer.manifest.digest}`;

  it.each<[string, object, Readonly<Record<string, string>>]>([
    ['acknowledges its subject', {}, { 'oci-subject': subject }],
    ['is known to keep the list', { capabilities: { referrersApi: true } }, {}],
  ])('writes no tag where the registry %s', async (_title, options, headers) => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(201, headers).end(), options);

    await repository.pushManifest(referrer.manifest);

    expect(server.requests.map(({ method, url }) => [method, url])).toEqual([['PUT', put]]);
  });

  it.each<[string, object, Readonly<Record<string, string>>]>([
    ['says nothing of the subject', {}, {}],
    ['acknowledges another subject', {}, { 'oci-subject': referrer.manifest.digest }],
    ['is known to keep no list, whatever it says', { capabilities: { referrersApi: false } }, { 'oci-subject': subject }],
  ])('writes the tag where the registry %s', async (_title, options, headers) => {
    const written: string[] = [];
    const { repository } = await registries.start(
      (request, response) => {
        if (request.method !== 'PUT') {
          const body = written[0];
          return body === undefined ? response.writeHead(404).end() : index(body)(request, response, 0);
        }
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
        return request.once('end', () => {
          if (request.url === tag) written.unshift(body);
          response.writeHead(201, headers).end();
        });
      },
      { timeouts: { settleMs: 1 }, ...options },
    );

    await repository.pushManifest(referrer.manifest);

    expect(written).toEqual([indexOf(referrerDescriptorOf(referrer.manifest))]);
  });

  it('writes no tag for a manifest without a subject', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(201).end());

    await repository.pushManifest(image.manifest);

    expect(server.requests).toHaveLength(1);
  });

  it('pushes nothing whose subject is malformed', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(201).end());
    const content = { schemaVersion: 2, mediaType: mediaType.ociManifest, config: image.config, layers: [], subject: { digest: 'x' } };

    const error = await contentErrorOf(repository.pushManifest(manifestFromBytes(Buffer.from(JSON.stringify(content)), undefined)));

    expect(error.code).toBe('manifest-invalid');
    expect(server.requests).toEqual([]);
  });

  it('overwrites nothing that is no list of referrers', async () => {
    const { server, repository } = await registries.start(
      answering({ [put]: status(201), [tag]: index(Buffer.from(image.manifest.bytes).toString('utf8')) }),
    );

    expect((await contentErrorOf(repository.pushManifest(referrer.manifest))).code).toBe('manifest-invalid');
    expect(server.requests.map(({ method, url }) => [method, url])).toEqual([
      ['PUT', put],
      ['GET', tag],
    ]);
  });

  it('gives up when others overwrite the tag without end', async () => {
    const { server, repository } = await registries.start(
      (request, response) => (request.method === 'PUT' ? response.writeHead(201).end() : response.writeHead(404).end()),
      { timeouts: { settleMs: 1 } },
    );

    expect(await contentErrorOf(repository.pushManifest(referrer.manifest))).toMatchObject({ code: 'unavailable', retryable: true });
    expect(server.requests.filter(({ method, url }) => method === 'PUT' && url === tag)).toHaveLength(12);
  });

  it('stops waiting when its signal fires', async () => {
    const controller = new AbortController();
    const { repository } = await registries.start((request, response) => {
      if (request.url === tag && request.method === 'PUT') setImmediate(() => controller.abort());
      response.writeHead(request.method === 'PUT' ? 201 : 404).end();
    });

    expect((await contentErrorOf(repository.pushManifest(referrer.manifest, controller.signal))).code).toBe('aborted');
  });
});

function digestNumber(value: number): string {
  return `sha256:${value.toString(16).padStart(64, '0')}`;
}

async function listed(referrers: AsyncIterable<Descriptor>): Promise<Descriptor[]> {
  const list: Descriptor[] = [];
  for await (const referrer of referrers) list.push(referrer);
  return list;
}
