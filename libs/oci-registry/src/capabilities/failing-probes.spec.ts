import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { type ProbeName, type ProbeResult, resultOf } from '@waybill/oci-model';
import { contentErrorOf, type Script, scriptedRegistries } from '@waybill/testing';
import { outcomesOf } from './check.spec-helper.js';

const registries = scriptedRegistries();

type Part = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Lets everyone in and takes what comes; `parts` answer what they name, `METHOD part-of-the-path`. */
function registry(parts: Readonly<Record<string, Part>> = {}): Script {
  return async (request, response) => {
    request.resume();
    const { method = '', url = '' } = request;
    const [, part] = Object.entries(parts).find(([key]) => isFor(key, method, url)) ?? [];
    if (part !== undefined) return part(request, response);
    if (method === 'POST') return response.writeHead(202, { location: '/upload/7' }).end();
    if (method === 'PUT') return response.writeHead(201).end();
    if (method === 'DELETE') return response.writeHead(405).end();
    if (url === '/v2/') return response.writeHead(200).end('{}');
    return response.writeHead(404).end();
  };
}

function isFor(key: string, method: string, url: string): boolean {
  const [wanted, ...path] = key.split(' ');
  return method === wanted && url.includes(path.join(' '));
}

const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Part =>
  (_request, response) =>
    response.writeHead(status, headers).end(body);

const breakOff: Part = (request, response) => {
  response.writeHead(200, { 'content-length': 1000 });
  response.write('{', () => request.socket.end());
};

async function check(parts: Readonly<Record<string, Part>>, probe: ProbeName): Promise<ProbeResult | undefined> {
  const { client } = await registries.start(registry(parts));
  return resultOf(await client.check(), probe);
}

describe('a probe that fails', () => {
  it.each<[ProbeName, string, Readonly<Record<string, Part>>, { readonly code: string; readonly advice: RegExp }]>([
    [
      'reachable',
      'is a web page',
      { 'GET /v2/': answer(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>') },
      { code: 'protocol', advice: /origin of a registry/ },
    ],
    ['reachable', 'is nothing', { 'GET /v2/': answer(404) }, { code: 'not-found', advice: /origin of a registry/ }],
    ['reachable', 'is down', { 'GET /v2/': answer(503) }, { code: 'unavailable', advice: /trouble of its own/ }],
    [
      'clock',
      'lives in another time',
      { 'GET /v2/': answer(200, { date: 'Wed, 21 Oct 2015 07:28:00 GMT' }) },
      { code: 'clock-skew', advice: /NTP/ },
    ],
    [
      'write',
      'allows no write',
      { 'POST ': answer(403, {}, '{"errors":[{"code":"DENIED"}]}') },
      { code: 'denied', advice: /write credentials.*waybill-check\/one/ },
    ],
    [
      'write',
      'makes no repository',
      { 'POST ': answer(404, {}, '{"errors":[{"code":"NAME_UNKNOWN"}]}') },
      { code: 'not-found', advice: /create the repositories/ },
    ],
    ['push', 'is full', { 'PUT /manifests/': answer(507) }, { code: 'unavailable', advice: /trouble of its own/ }],
    ['push', 'asks for patience', { 'PUT /manifests/': answer(429) }, { code: 'rate-limited', advice: /quota/ }],
    ['pull', 'gives nothing back', {}, { code: 'not-found', advice: /./ }],
    ['referrersApi', 'breaks at referrers', { 'GET /referrers/': answer(500) }, { code: 'unavailable', advice: /trouble/ }],
    ['mount', 'forbids to mount', { 'POST mount=': answer(403) }, { code: 'denied', advice: /write credentials/ }],
    [
      'tagPagination',
      'loses pages',
      { 'GET /tags/list': answer(200, {}, '{"tags":["one"]}') },
      { code: 'incomplete-pages', advice: /pages/ },
    ],
    [
      'tagPagination',
      'pages in circles',
      { 'GET /tags/list': answer(200, { link: '</v2/x/tags/list?n=1&last=one>; rel="next"' }, '{"tags":["one"]}') },
      { code: 'incomplete-pages', advice: /pages/ },
    ],
    ['tagPagination', 'lists what is no list', { 'GET /tags/list': answer(200, {}, '[') }, { code: 'protocol', advice: /./ }],
    ['tagPagination', 'breaks off its list', { 'GET /tags/list': breakOff }, { code: 'unreachable', advice: /reached/ }],
    ['referrersApi', 'breaks off its referrers', { 'GET /referrers/': breakOff }, { code: 'unreachable', advice: /reached/ }],
    ['delete', 'forbids deletion', { 'DELETE /manifests/': answer(403) }, { code: 'denied', advice: /delete credentials/ }],
  ])('%s, where the registry %s', async (probe, _what, parts, { code, advice }) => {
    expect(await check(parts, probe)).toMatchObject({ outcome: 'failed', code, advice: expect.stringMatching(advice) });
  });

  it('keeps only those that build on it from being asked', async () => {
    const { client } = await registries.start(registry({ 'PUT /manifests/': answer(500), 'PATCH ': answer(404) }));

    const report = await client.check();

    expect(outcomesOf(report)).toMatchObject({ push: 'failed', pull: 'skipped', mount: 'skipped', chunkedUpload: 'ok', delete: 'ok' });
    expect(resultOf(report, 'pull')).toMatchObject({ why: 'push gave no answer to build on' });
    expect(report.capabilities).toMatchObject({ mount: 'unknown', chunkedUpload: false });
  });

  it('is one in a registry that cannot be reached at all', async () => {
    const { client, server } = await registries.start(registry());
    await server.stop();

    const report = await client.check();

    expect(resultOf(report, 'reachable')).toMatchObject({
      outcome: 'failed',
      code: 'unreachable',
      advice: expect.stringContaining('firewall'),
    });
    expect(new Set(Object.values(outcomesOf(report)).slice(1))).toEqual(new Set(['skipped']));
  });

  it('is one that gets no answer in its time, which the others get all the same', async () => {
    const { client } = await registries.start(registry({ 'GET /referrers/': () => undefined }));

    const report = await client.check({ probeMs: 300 });

    expect(resultOf(report, 'referrersApi')).toMatchObject({ outcome: 'failed', code: 'timeout', message: 'no answer within 0.3 s' });
    expect(outcomesOf(report)).toMatchObject({ mount: 'ok', delete: 'ok' });
  });
});

describe('capabilities', () => {
  it.each<[string, Readonly<Record<string, Part>>, object]>([
    ['lists referrers without listing any', { 'GET /referrers/': answer(200, {}, '{"manifests":[]}') }, { referrersApi: false }],
    ['answers referrers with anything', { 'GET /referrers/': answer(200, {}, 'welcome') }, { referrersApi: false }],
    ['mounts', { 'POST mount=': answer(201), 'GET /blobs/': answer(206, {}, ' ') }, { mount: true, anonymousMount: true }],
    ['says that it mounts, and does not', { 'POST mount=': answer(201) }, { mount: false, anonymousMount: false }],
    ['knows no mount', { 'POST mount=': answer(405) }, { mount: false, anonymousMount: false }],
    ['takes the bytes instead of mounting', {}, { mount: false, anonymousMount: false }],
    [
      'wants large chunks',
      { 'POST /uploads/': answer(202, { location: '/u', 'oci-chunk-min-length': '5242880' }) },
      { chunkedUpload: true },
    ],
    ['takes no chunks', { 'PATCH ': answer(405) }, { chunkedUpload: false }],
    ['deletes nothing', {}, { manifestDelete: false, blobDelete: false, tagDelete: false }],
    [
      'says that it deletes, and does not',
      { 'DELETE ': answer(202), 'HEAD /manifests/': answer(200), 'GET /blobs/': (request, response) => response.writeHead(206).end(' ') },
      { manifestDelete: false, tagDelete: false },
    ],
  ])('of a registry that %s', async (_what, parts, capabilities) => {
    const { client } = await registries.start(registry(parts));

    expect((await client.check()).capabilities).toMatchObject(capabilities);
  });
});

describe('a check that is aborted', () => {
  it('rejects, having removed what it wrote', async () => {
    const stop = new AbortController();
    const abort: Part = () => stop.abort();
    const { client, server } = await registries.start(registry({ 'GET /referrers/': abort }));

    const error = await contentErrorOf(client.check({ signal: stop.signal }));

    expect(error.code).toBe('aborted');
    const after = server.requests.slice(server.requests.findIndex(({ url }) => url.includes('/referrers/')) + 1);
    expect(after.filter(({ method }) => method === 'DELETE').length).toBeGreaterThanOrEqual(10);
    expect(after.filter(({ method }) => method === 'PUT' || method === 'POST')).toEqual([]);
  });

  it('writes nothing when it was aborted before', async () => {
    const { client, server } = await registries.start(registry());

    expect((await contentErrorOf(client.check({ signal: AbortSignal.abort() }))).code).toBe('aborted');
    expect(server.requests).toEqual([]);
  });
});
