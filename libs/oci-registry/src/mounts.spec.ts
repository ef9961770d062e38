import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type BlobUpload, digestOf, type MountResult, parseRepositoryName } from '@waybill/oci-model';
import { contentErrorOf, sample, scriptedRegistries, streamOf } from '@waybill/testing';
import { basicCredentials } from './auth/static-credentials.js';

const { app, blob, bytes } = sample;
const digest = encodeURIComponent(blob.digest);
const other = digestOf(Buffer.from('other'));

describe('mounting blobs', () => {
  const registries = scriptedRegistries();
  const from = parseRepositoryName('team/base');

  it('asks with the write credentials, naming the source as the origin knows it', async () => {
    const { server, client } = await registries.start((_request, response) => response.writeHead(201).end(), {
      prefix: parseRepositoryName('acme'),
      credentials: { read: basicCredentials('reader', 'read only'), write: basicCredentials('anna', 'open sesame') },
    });

    expect(await client.repository(app).mountBlob(blob, from)).toEqual({ mounted: true });
    expect(server.requests).toMatchObject([{ method: 'POST', url: `/v2/acme/${app}/blobs/uploads/?mount=${digest}&from=team%2Fbase` }]);
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('anna:open sesame').toString('base64')}`);
  });

  it('keeps the session of a 202 for the bytes', async () => {
    const { server, repository } = await registries.start(async (request, response) => {
      if (request.method === 'POST') return response.writeHead(202, { location: '/u/7' }).end();
      for await (const chunk of request) expect(chunk).toEqual(bytes);
      return response.writeHead(201).end();
    });

    const result = await repository.mountBlob(blob, from);
    const upload = uploadOf(result);
    await repository.pushBlob(blob, streamOf(bytes), { upload });
    await upload.cancel();

    expect(server.requests.map((request) => request.method)).toEqual(['POST', 'PUT']);
    expect(server.requests[1]?.url).toBe(`/u/7?digest=${digest}`);
  });

  it('shows the address of a session to nobody', async () => {
    const { repository } = await registries.start((_request, response) =>
      response.writeHead(202, { location: '/u/7?_state=s3cret' }).end(),
    );

    const result = await repository.mountBlob(blob, from);

    expect(inspect(result, { depth: 9, showHidden: true }) + JSON.stringify(result)).not.toContain('s3cret');
  });

  it('lets no session be used in another repository', async () => {
    const { client, repository } = await registries.start((_request, response) => response.writeHead(202, { location: '/u/7' }).end());
    const result = await repository.mountBlob(blob, from);

    const upload = uploadOf(result);
    const pushed = client.repository(parseRepositoryName('team/other')).pushBlob(blob, streamOf(bytes), { upload });

    expect((await contentErrorOf(pushed)).code).toBe('upload-invalid');
  });

  it('asks nothing of a registry that is known not to mount', async () => {
    const { server, repository } = await registries.start((_request, response) => response.writeHead(201).end(), {
      capabilities: { mount: false },
    });

    expect(await repository.mountBlob(blob, from)).toEqual({ mounted: false });
    expect(server.requests).toEqual([]);
  });

  it.each([400, 401, 403, 404, 405, 501])('goes on without a mount after %d', async (status) => {
    const { repository } = await registries.start((_request, response) => response.writeHead(status).end());

    expect(await repository.mountBlob(blob, from)).toEqual({ mounted: false });
  });

  it.each([
    [429, 'rate-limited'],
    [503, 'unavailable'],
    [307, 'protocol'],
  ])('rejects on %d with %s', async (status, code) => {
    const { repository } = await registries.start((_request, response) => response.writeHead(status).end());

    expect((await contentErrorOf(repository.mountBlob(blob, from))).code).toBe(code);
  });

  it('rejects when another blob was mounted', async () => {
    const { repository } = await registries.start((_request, response) =>
      response.writeHead(201, { 'docker-content-digest': other }).end(),
    );

    expect((await contentErrorOf(repository.mountBlob(blob, from))).code).toBe('digest-mismatch');
  });
});

function uploadOf(result: MountResult): BlobUpload {
  if (result.mounted || result.upload === undefined) throw new Error('no upload session was offered');
  return result.upload;
}
