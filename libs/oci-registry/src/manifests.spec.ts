import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { digestOf, manifestMediaTypes, maxManifestBytes, mediaType } from '@waybill/oci-model';
import { buildImage, contentErrorOf, sample, type Script, scriptedRegistries } from '@waybill/testing';
import { RegistryError } from './registry-error.js';

const { app, latest } = sample;
const { manifest } = buildImage();
const other = buildImage({ seed: 2 }).manifest;
const type = mediaType.ociManifest;

describe('reading manifests', () => {
  const registries = scriptedRegistries();

  it('asks for every type of manifest, since Distribution hides what is not accepted', async () => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(200, { 'content-type': type }).end(manifest.bytes);
    });

    await repository.readManifest(manifest.digest);

    expect(server.requests).toMatchObject([{ method: 'GET', url: `/v2/${app}/manifests/${manifest.digest}` }]);
    expect(server.requests[0]?.headers.accept?.split(', ')).toEqual(manifestMediaTypes);
  });

  it('takes what the bytes say when the type of the answer says nothing', async () => {
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(manifest.bytes);
    });

    expect((await repository.readManifest(manifest.digest)).mediaType).toBe(type);
  });

  const hostile: readonly (readonly [string, string, Script])[] = [
    ['an endless body', 'manifest-too-large', (_request, response) => endless(response.writeHead(200, { 'content-type': type }))],
    [
      'a length beyond the limit',
      'manifest-too-large',
      (_request, response) => response.writeHead(200, { 'content-length': maxManifestBytes + 1 }).write('{'),
    ],
    [
      'one byte more than the limit',
      'manifest-too-large',
      (_request, response) => response.writeHead(200).end(Buffer.alloc(maxManifestBytes + 1, 32)),
    ],
    [
      'fewer bytes than its length says',
      'unreachable',
      (_request, response) => {
        response.writeHead(200, { 'content-length': manifest.bytes.byteLength + 10 });
        response.write(manifest.bytes, () => response.socket?.destroy());
      },
    ],
    [
      'more bytes than its length says',
      'digest-mismatch',
      (_request, response) => {
        const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${manifest.bytes.byteLength - 1}\r\n\r\n`;
        response.socket?.end(Buffer.concat([Buffer.from(head), manifest.bytes]));
      },
    ],
    ['other bytes', 'digest-mismatch', (_request, response) => response.writeHead(200, { 'content-type': type }).end(other.bytes)],
    ['no bytes', 'digest-mismatch', (_request, response) => response.writeHead(200, { 'content-type': type }).end()],
    ['something that is no HTTP', 'protocol', (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['nothing but a closed connection', 'unreachable', (request) => request.socket.destroy()],
    ['204 without a body', 'protocol', (_request, response) => response.writeHead(204).end()],
  ];

  it.each(hostile)('rejects %s with %s', async (_title, code, script) => {
    const { server, repository } = await registries.start(script);

    const error = await contentErrorOf(repository.readManifest(manifest.digest));

    expect(error).toBeInstanceOf(RegistryError);
    expect(error).toMatchObject({ code, operation: 'read manifest', host: server.host });
  });

  const byTag: readonly (readonly [string, string, Script])[] = [
    [
      'a digest header that the bytes do not have',
      'digest-mismatch',
      (_request, response) => {
        response.writeHead(200, { 'content-type': type, 'docker-content-digest': other.digest }).end(manifest.bytes);
      },
    ],
    ['bytes that are not JSON', 'manifest-invalid', (_request, response) => response.writeHead(200).end('<html>Sign in</html>')],
    [
      'a Docker schema 1 manifest',
      'manifest-invalid',
      (_request, response) => response.writeHead(200, { 'content-type': mediaType.dockerSchema1Signed }).end('{"schemaVersion":1}'),
    ],
  ];

  it.each(byTag)('rejects, by tag, %s with %s', async (_title, code, script) => {
    const { repository } = await registries.start(script);

    expect((await contentErrorOf(repository.readManifest(latest))).code).toBe(code);
  });

  it('computes the digest itself when the header is garbled', async () => {
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(200, { 'content-type': type, 'docker-content-digest': `${other.digest}, ${other.digest}` }).end(manifest.bytes);
    });

    expect((await repository.readManifest(latest)).digest).toBe(manifest.digest);
  });
});

describe('pushing manifests', () => {
  const registries = scriptedRegistries();

  it('sends the bytes as they are, under their type', async () => {
    const received: Buffer[] = [];
    const { server, repository } = await registries.start((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(chunk));
      request.on('end', () => response.writeHead(201, { 'docker-content-digest': manifest.digest }).end());
    });

    await repository.pushManifest(manifest);

    expect(Buffer.concat(received).equals(manifest.bytes)).toBe(true);
    expect(server.requests).toMatchObject([
      { method: 'PUT', url: `/v2/${app}/manifests/${manifest.digest}`, headers: { 'content-type': type } },
    ]);
  });

  it('takes its digest under another algorithm for a good sign', async () => {
    const sha512 = `sha512:${createHash('sha512').update(manifest.bytes).digest('hex')}`;
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(201, { 'docker-content-digest': sha512 }).end();
    });

    await expect(repository.pushManifest(manifest)).resolves.toBeUndefined();
  });

  it.each(['pushManifest', 'putTag'] as const)('%s rejects when the registry stored something else', async (verb) => {
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(201, { 'docker-content-digest': other.digest }).end();
    });

    const pushed = verb === 'putTag' ? repository.putTag(latest, manifest) : repository.pushManifest(manifest);

    expect((await contentErrorOf(pushed)).code).toBe('digest-mismatch');
  });

  it('names every missing blob', async () => {
    const missing = [digestOf(Buffer.from('one')), digestOf(Buffer.from('two'))];
    const errors = missing.map((digest) => ({ code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry', detail: { digest } }));
    const { repository } = await registries.start((_request, response) => {
      response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'MANIFEST_INVALID' }, ...errors] }));
    });

    const error = await contentErrorOf(repository.pushManifest(manifest));

    expect(error).toMatchObject({ code: 'blob-unknown', retryable: false, details: { repository: app, digests: missing } });
  });

  it('follows no redirect', async () => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(307, { location: '/elsewhere' }).end();
    });

    expect((await contentErrorOf(repository.pushManifest(manifest))).code).toBe('protocol');
    expect(server.requests).toHaveLength(1);
  });
});

function endless(response: { write(chunk: Buffer, done: () => void): boolean; readonly destroyed: boolean }): void {
  const chunk = Buffer.alloc(64 * 1024, 32);
  const more = (): void => {
    if (!response.destroyed) response.write(chunk, more);
  };
  more();
}
