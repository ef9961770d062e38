import { describe, expect, it } from '@jest/globals';
import { mediaType, referrerDescriptorOf, referrersTagOf } from '@waybill/oci-model';
import { buildImage, buildReferrer, contentErrorOf, sample, type Script, scriptedRegistries } from '@waybill/testing';

const { app, blob } = sample;
const image = buildImage({ seed: 95 });
const referrer = buildReferrer(image);
const { digest } = referrer.manifest;
const at = `/v2/${app}/manifests/${digest}`;
const tag = `/v2/${app}/manifests/${referrersTagOf(image.manifest.digest)}`;

const unknown = (code: string): string => JSON.stringify({ errors: [{ code }] });
const gives = (bytes: Uint8Array | string, type: string): Script => {
  return (_request, response) => response.writeHead(200, { 'content-type': type }).end(bytes);
};

/** Answers by method and path; 404 to the rest. */
function answering(scripts: Readonly<Record<string, Script>>): Script {
  return (request, response, index) => {
    request.resume();
    const script = scripts[`${request.method} ${request.url}`] ?? scripts[request.method ?? ''];
    return script === undefined ? response.writeHead(404).end() : script(request, response, index);
  };
}

describe('deleting', () => {
  const registries = scriptedRegistries();

  it.each([200, 202, 204])('takes %d for done', async (status) => {
    const { repository } = await registries.start((_request, response) => response.writeHead(status).end());

    expect(await repository.deleteBlob(blob.digest)).toBe('removed');
  });

  it.each(['BLOB_UNKNOWN', 'NAME_UNKNOWN'])('takes %s for absent, and asks no further', async (code) => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(404).end(unknown(code)));

    expect(await repository.deleteBlob(blob.digest)).toBe('absent');
    expect(server.requests).toHaveLength(1);
  });

  it('takes a 404 without a word for absent when nothing is there', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(404).end());

    expect(await repository.deleteBlob(blob.digest)).toBe('absent');
    expect(server.requests.map(({ method }) => method)).toEqual(['DELETE', 'HEAD']);
  });

  it.each([
    ['manifests', { manifestDelete: false }],
    ['blobs', { blobDelete: false }],
  ])('of %s is not asked for where it is known not to be done', async (kind, capabilities) => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(202).end(), { capabilities });

    const deletion = kind === 'blobs' ? repository.deleteBlob(blob.digest) : repository.deleteManifest(digest);

    expect((await contentErrorOf(deletion)).code).toBe('unsupported');
    expect(server.requests).toEqual([]);
  });
});

describe('deleting a referrer', () => {
  const registries = scriptedRegistries();
  const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [referrerDescriptorOf(referrer.manifest)] };
  const scripts: Readonly<Record<string, Script>> = {
    [`GET ${at}`]: gives(referrer.manifest.bytes, referrer.manifest.mediaType),
    [`DELETE ${at}`]: (_request, response) => response.writeHead(202).end(),
    [`GET ${tag}`]: gives(JSON.stringify(index), mediaType.ociIndex),
    [`PUT ${tag}`]: (_request, response) => response.writeHead(201).end(),
  };

  it('takes it off the referrers tag afterwards', async () => {
    const { server, repository } = await registries.start(answering(scripts));

    expect(await repository.deleteManifest(digest)).toBe('removed');

    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([`GET ${at}`, `DELETE ${at}`, `GET ${tag}`, `PUT ${tag}`]);
  });

  it('leaves the list to a registry that keeps it', async () => {
    const { server, repository } = await registries.start(answering(scripts), { capabilities: { referrersApi: true } });

    expect(await repository.deleteManifest(digest)).toBe('removed');

    expect(server.requests.map(({ method }) => method)).toEqual(['DELETE']);
  });

  it.each<[string, Readonly<Record<string, Script>>]>([
    ['the list cannot be written', { [`PUT ${tag}`]: (_request, response) => response.writeHead(500).end() }],
    ['the list cannot be read', { [`GET ${tag}`]: (_request, response) => response.writeHead(500).end() }],
    ['the manifest cannot be read', { [`GET ${at}`]: (_request, response) => response.end('<html>') }],
  ])('is done also when %s', async (_title, odd) => {
    const { repository } = await registries.start(answering({ ...scripts, ...odd }));

    expect(await repository.deleteManifest(digest)).toBe('removed');
  });

  it('touches no list when nothing was deleted', async () => {
    const { server, repository } = await registries.start(
      answering({ ...scripts, [`DELETE ${at}`]: (_request, response) => response.writeHead(403).end() }),
    );

    expect((await contentErrorOf(repository.deleteManifest(digest))).code).toBe('denied');
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'DELETE']);
  });
});
