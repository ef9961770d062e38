import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type ContentErrorCode, digestOf, maxManifestBytes } from '@waybill/oci-model';
import { buildImage, contentErrorOf, sample, type Script, scriptedRegistries, streamOf, until } from '@waybill/testing';
import { basicCredentials } from './auth/static-credentials.js';
import type { RegistryClientOptions } from './options.js';
import type { RegistryClient } from './registry-client.js';
import type { RepositoryClient } from './repository-client.js';

const { app, blob, bytes, latest } = sample;
const image = buildImage({ seed: 5 });
const { manifest } = image;
const other = digestOf(Buffer.from('other'));
const json = 'application/json';

/** What a caller does; every verb there is. */
const verbs = {
  ping: (_repository, client) => client.ping(),
  readManifest: (repository) => repository.readManifest(manifest.digest),
  readTag: (repository) => repository.readManifest(latest),
  resolveTag: (repository) => repository.resolveTag(latest),
  pushManifest: (repository) => repository.pushManifest(manifest),
  putTag: (repository) => repository.putTag(latest, manifest),
  readBlob: async (repository) => (await repository.readBlob(blob)).toArray(),
  probeBlob: (repository) => repository.probeBlob(blob),
  pushBlob: (repository) => repository.pushBlob(blob, streamOf(bytes)),
  mountBlob: (repository) => repository.mountBlob(blob, app),
  listTags: (repository) => everyOne(repository.listTags()),
  listRepositories: (_repository, client) => everyOne(client.listRepositories()),
  listReferrers: (repository) => everyOne(repository.listReferrers(manifest.digest)),
  listOwnReferrers: (repository) => everyOne(repository.listOwnReferrers(manifest.digest)),
  hasManifest: (repository) => repository.hasManifest(manifest.digest),
  deleteManifest: (repository) => repository.deleteManifest(manifest.digest),
  deleteBlob: (repository) => repository.deleteBlob(blob.digest),
  untag: (repository) => repository.untag(latest),
} as const satisfies Readonly<Record<string, (repository: RepositoryClient, client: RegistryClient) => Promise<unknown>>>;
type Verb = keyof typeof verbs;

/** A row: what is asked, what the registry does, and the one word that the caller must hear. */
type Hostility = readonly [Verb, string, ContentErrorCode, Script, Partial<RegistryClientOptions>?];

/** Answers without end that were begun. */
const endings: ServerResponse[] = [];

const says =
  (status: number, body: string | Uint8Array = '', headers: Readonly<Record<string, string>> = {}): Script =>
  (request, response) => {
    request.resume();
    return response.writeHead(status, headers).end(body);
  };
const raw =
  (text: string): Script =>
  (_request, response) =>
    response.socket?.end(text);
const breaksOff =
  (status: number, part: string, length = 1000): Script =>
  (_request, response) =>
    response.writeHead(status, { 'content-length': length }).write(part, () => response.destroy());
/** Never ends and never pauses, until the client hangs up. */
const endless =
  (status: number, begin = '', headers: Readonly<Record<string, string>> = {}): Script =>
  (request, response) => {
    endings.push(response);
    request.resume();
    response.writeHead(status, headers).write(begin);
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(64 * 1024, 'x'), () => setImmediate(more));
    };
    more();
  };
/** A byte now and then, so that nothing ever idles. */
const trickling =
  (status: number): Script =>
  (_request, response) => {
    response.writeHead(status);
    const timer = setInterval(() => response.write(' '), 5);
    response.once('close', () => clearInterval(timer));
  };
const silent: Script = (request) => request.resume();
const resets: Script = (request) => request.socket.destroy();
const redirects = (location: string, status = 307): Script => says(status, '', { location });
const toItself: Script = (request, response) => response.writeHead(307, { location: request.url }).end();
/** One answer to the method that matters, a good one to what comes before it. */
const to =
  (method: string, script: Script, before: Script = opens): Script =>
  (request: IncomingMessage, response: ServerResponse, index: number) =>
    (request.method === method ? script : before)(request, response, index);
const opens: Script = (request, response, index) =>
  says(request.method === 'DELETE' ? 204 : 202, '', { location: '/u/1' })(request, response, index);
const holds = says(200, manifest.bytes, { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest });

const hasty = { timeouts: { answerMs: 60, idleMs: 60, commitMs: 60 } } as const;
const soonTired = { timeouts: { smallMs: 120 } } as const;
const known = {
  credentials: { read: basicCredentials('anna', 'open sesame'), write: basicCredentials('anna', 'open sesame') },
} as const;

const rows: readonly Hostility[] = [
  ['ping', 'a web site', 'protocol', redirects('http://169.254.169.254/')],
  ['ping', 'nothing at all', 'timeout', silent, hasty],
  ['ping', 'an error page without end', 'unavailable', endless(502, '<html>')],
  ['ping', 'a server that hangs up', 'unreachable', resets],
  ['ping', 'words that are no HTTP', 'protocol', raw('SSH-2.0-OpenSSH_9.2\r\n')],
  ['ping', 'a token realm elsewhere', 'protocol', says(401, '', bearer('http://169.254.169.254/token')), known],
  ['ping', 'a token realm that is no address', 'protocol', says(401, '', bearer('not an address')), known],
  ['ping', 'a token without end', 'protocol', toToken(endless(200, '{"token":"')), known],
  ['ping', 'a token that it does not take itself', 'unauthorized', toToken(says(200, '{"token":"abc"}')), known],

  ['readManifest', 'a body without length and end', 'manifest-too-large', endless(200, '{', { 'content-type': manifest.mediaType })],
  ['readManifest', 'a length that is absurd', 'manifest-too-large', endless(200, '{', { 'content-length': '5000000000' })],
  ['readManifest', 'a length that is no number', 'protocol', raw('HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}')],
  ['readManifest', 'two lengths', 'protocol', raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}')],
  [
    'readManifest',
    'both a length and chunks',
    'protocol',
    raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'),
  ],
  ['readManifest', 'headers without end', 'protocol', raw(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(1024 * 1024)}\r\n\r\n`)],
  ['readManifest', 'other bytes than were asked for', 'digest-mismatch', says(200, '{}', { 'content-type': manifest.mediaType })],
  ['readManifest', 'bytes compressed unasked', 'digest-mismatch', says(200, gzipSync(manifest.bytes), { 'content-encoding': 'gzip' })],
  ['readManifest', 'a body that breaks off', 'unreachable', breaksOff(200, '{"schemaVersion":2')],
  ['readManifest', 'a byte now and then', 'timeout', trickling(200), soonTired],
  ['readManifest', 'no content', 'protocol', says(204)],
  ['readManifest', 'a part of it', 'protocol', says(206, '{')],
  ['readManifest', 'redirects in a circle', 'protocol', toItself],
  ['readManifest', 'a redirect to nowhere', 'protocol', says(302)],
  ['readManifest', 'a redirect to a file', 'protocol', redirects('file:///etc/passwd')],
  ['readManifest', 'errors that are no list', 'not-found', says(404, '{"errors":"MANIFEST_UNKNOWN"}')],
  ['readManifest', 'an error code that nobody knows', 'denied', says(403, '{"errors":[{"code":"NO_WAY"},7,null]}')],

  [
    'readTag',
    'a digest in its header that is not that of its bytes',
    'digest-mismatch',
    says(200, manifest.bytes, { 'docker-content-digest': other }),
  ],
  [
    'readTag',
    'an image that it calls an index',
    'manifest-invalid',
    says(200, manifest.bytes, { 'content-type': 'application/vnd.oci.image.index.v1+json' }),
  ],
  ['readTag', 'a login page', 'manifest-invalid', says(200, '<html>', { 'content-type': 'text/html' })],
  ['readTag', 'half a document', 'manifest-invalid', says(200, '{"schemaVersion":2,"config":{', { 'content-type': manifest.mediaType })],
  ['readTag', 'an empty body', 'manifest-invalid', says(200, '', { 'content-type': manifest.mediaType })],
  ['readTag', 'brackets in brackets, without end', 'manifest-invalid', says(200, '['.repeat(maxManifestBytes), { 'content-type': json })],
  ['readTag', 'bytes that are no UTF-8', 'manifest-invalid', says(200, Buffer.alloc(1000, 0xff), { 'content-type': manifest.mediaType })],
  ['readTag', 'a manifest of schema 1', 'manifest-invalid', says(200, '{"schemaVersion":1,"fsLayers":[]}', { 'content-type': json })],

  ['resolveTag', 'no digest, and then a manifest without end', 'manifest-too-large', to('GET', endless(200, '{'), says(200))],
  ['hasManifest', 'no digest, and then a manifest without end', 'manifest-too-large', to('GET', endless(200, '{'), says(200))],
  ['hasManifest', 'a gateway that is lost', 'unavailable', says(503)],
  ['listOwnReferrers', 'no list', 'protocol', says(200, 'nothing')],
  ['resolveTag', 'redirects in a circle', 'protocol', toItself],
  ['resolveTag', 'a gateway that is lost', 'unavailable', says(503)],
  ['resolveTag', 'a wait of a year', 'rate-limited', says(429, '', { 'retry-after': '31536000' })],

  ['pushManifest', 'another digest than was pushed', 'digest-mismatch', says(201, '', { 'docker-content-digest': other })],
  ['pushManifest', 'a promise for later', 'protocol', says(202)],
  ['pushManifest', 'a redirect', 'protocol', redirects('/elsewhere')],
  ['pushManifest', 'an error without end', 'protocol', endless(400, '{"errors":[')],
  ['putTag', 'an error that breaks off', 'denied', breaksOff(403, '{"errors":[')],
  ['putTag', 'nothing at all', 'timeout', silent, hasty],

  ['readBlob', 'more bytes than there are, without end', 'size-mismatch', endless(200)],
  ['readBlob', 'fewer bytes than there are', 'size-mismatch', says(200, bytes.subarray(1), { 'transfer-encoding': 'chunked' })],
  ['readBlob', 'another length', 'size-mismatch', says(200, Buffer.concat([bytes, bytes]))],
  ['readBlob', 'other bytes', 'digest-mismatch', says(200, Buffer.alloc(bytes.byteLength))],
  ['readBlob', 'a part of it', 'protocol', says(206, bytes)],
  ['readBlob', 'a body that breaks off', 'unreachable', breaksOff(200, 'the', bytes.byteLength)],
  ['readBlob', 'a body that stops', 'timeout', (_request, response) => response.writeHead(200).write('the'), hasty],
  ['readBlob', 'a redirect to the metadata of a cloud', 'protocol', redirects('http://[fd00:ec2::254]/latest')],

  ['probeBlob', 'redirects in a circle', 'protocol', toItself],
  ['probeBlob', 'nothing at all', 'timeout', silent, hasty],
  ['probeBlob', 'something that is no answer to a range', 'protocol', says(202)],

  ['pushBlob', 'a session without an address', 'protocol', to('POST', says(202))],
  ['pushBlob', 'a session in a file', 'protocol', to('POST', says(202, '', { location: 'file:///tmp/upload' }))],
  ['pushBlob', 'a session where it may not be', 'protocol', to('POST', says(202, '', { location: 'http://169.254.169.254/u' }))],
  ['pushBlob', 'a session that is done at once', 'protocol', to('POST', says(201))],
  ['pushBlob', 'another blob than was pushed', 'digest-mismatch', to('PUT', says(201, '', { 'docker-content-digest': other }))],
  ['pushBlob', 'a redirect of the bytes', 'protocol', to('PUT', redirects('/elsewhere'))],
  ['pushBlob', 'an error without end', 'unavailable', to('PUT', endless(500))],
  ['pushBlob', 'a commit that never comes', 'timeout', to('PUT', silent), hasty],

  ['mountBlob', 'another blob than was meant', 'digest-mismatch', says(201, '', { 'docker-content-digest': other })],
  ['mountBlob', 'a session without an address', 'protocol', says(202)],
  ['mountBlob', 'an error without end', 'unavailable', endless(500)],

  ['listTags', 'a list without end', 'protocol', endless(200, '{"tags":["')],
  ['listTags', 'no JSON', 'protocol', says(200, '<html>')],
  ['listTags', 'lists in lists', 'protocol', says(200, '{"tags":[["a"]]}')],
  ['listTags', 'a tag that is a path', 'protocol', says(200, '{"tags":["../../etc"]}')],
  ['listTags', 'a next page elsewhere', 'protocol', says(200, '{"tags":[]}', { link: '<http://example.com/v2/x>; rel="next"' })],
  ['listTags', 'pages in a circle of two', 'protocol', circling],
  ['listRepositories', 'a repository that is a path', 'protocol', says(200, '{"repositories":["a/../b"]}')],
  ['listRepositories', 'a catalogue without end', 'protocol', endless(200, '{"repositories":["')],
  ['listReferrers', 'a list without end', 'protocol', endless(200, '{"schemaVersion":2,"manifests":["')],
  [
    'listReferrers',
    'a list that was filtered',
    'protocol',
    says(200, '{"schemaVersion":2,"manifests":[]}', { 'oci-filters-applied': 'artifactType' }),
  ],
  [
    'listReferrers',
    'a digest that climbs',
    'protocol',
    says(200, '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:../x","size":1}]}'),
  ],

  ['deleteManifest', 'a bare 404 for what is there', 'unsupported', to('DELETE', says(404), holds)],
  ['deleteManifest', 'a redirect', 'protocol', to('DELETE', redirects('/elsewhere'), holds)],
  ['deleteManifest', 'a refusal without end', 'unsupported', to('DELETE', endless(405), holds)],
  ['deleteBlob', 'a server that hangs up', 'unreachable', resets],
  ['deleteBlob', 'nothing at all', 'timeout', silent, hasty],
  ['untag', 'a refusal to say who may', 'unauthorized', to('DELETE', says(401), holds)],
  ['untag', 'a registry that deletes nothing', 'unsupported', to('DELETE', says(405), holds)],
  ['untag', 'an overloaded registry', 'unavailable', to('DELETE', says(500), holds)],
];

describe('a hostile or broken registry', () => {
  const registries = scriptedRegistries();

  it('is met in every verb', () => {
    expect(new Set(rows.map(([verb]) => verb))).toEqual(new Set(Object.keys(verbs)));
    expect(rows.length).toBeGreaterThanOrEqual(40);
  });

  it.each(rows)('answers %s with %s, which is %s', async (...row) => {
    const [verb, , code, script, options = {}] = row;
    const { server, client, repository } = await registries.start(script, options);

    const error = await contentErrorOf(verbs[verb](repository, client));

    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(1000);
    // It neither asks on and on, nor listens to what has no end.
    expect(server.requests.length).toBeLessThan(10);
    const begun = endings.splice(0);
    await until('the client has hung up', () => begun.every((response) => response.destroyed));
  });
});

function bearer(realm: string): Readonly<Record<string, string>> {
  return { 'www-authenticate': `Bearer realm="${realm}",service="registry"` };
}

/** Asks for a token of its own, and then has one of a kind. */
function toToken(script: Script): Script {
  return (request, response, index) => {
    if (request.url?.startsWith('/token') === true) return script(request, response, index);
    return says(401, '', bearer(`http://${request.headers.host}/token`))(request, response, index);
  };
}

function circling(request: IncomingMessage, response: ServerResponse): void {
  const next = request.url?.includes('b=1') === true ? 'a=1' : 'b=1';
  response.writeHead(200, { link: `</v2/${app}/tags/list?${next}>; rel="next"` }).end('{"tags":[]}');
}

async function everyOne<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}
