import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type BlobRef, digestOf } from '@waybill/oci-model';
import { buildImage, contentErrorOf, createAuthority, randomBytes, sample, scriptedRegistries, streamOf } from '@waybill/testing';
import { basicCredentials } from './auth/static-credentials.js';

const { app, blob, bytes, latest } = sample;
const { manifest } = buildImage();
const reader = { username: 'reader', password: 'open sesame' };

describe('redirects', () => {
  const registries = scriptedRegistries();

  it.each([301, 302, 303, 307, 308])('follows %d to another host without credentials', async (status) => {
    const storage = await registries.elsewhere((_request, response) => response.writeHead(200).end(bytes));
    const { server, repository } = await registries.start(
      (_request, response) => response.writeHead(status, { location: `${storage.origin}/blob?signature=s` }).end('moved'),
      { credentials: { read: basicCredentials(reader.username, reader.password) } },
    );

    const read = await (await repository.readBlob(blob)).toArray();

    expect(Buffer.concat(read).equals(bytes)).toBe(true);
    expect(server.requests[0]?.headers.authorization).toBe(basic(reader));
    expect(storage.requests).toMatchObject([{ method: 'GET', url: '/blob?signature=s' }]);
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('keeps credentials within the registry, and gives them again when it is led back there', async () => {
    const origins: string[] = [];
    const detour = await registries.elsewhere((_request, response) => response.writeHead(307, { location: `${origins[0]}/there` }).end());
    const { server, repository } = await registries.start(
      (request, response) => {
        const next: Readonly<Record<string, string>> = { '/here': `${detour.origin}/`, '/there': '' };
        const location = next[request.url ?? ''] ?? '/here';
        if (location === '') return response.writeHead(200, { 'content-type': manifest.mediaType }).end(manifest.bytes);
        return response.writeHead(307, { location }).end();
      },
      { credentials: { read: basicCredentials(reader.username, reader.password) } },
    );
    origins.push(server.origin);

    await repository.readManifest(manifest.digest);

    expect(server.requests.map((request) => request.url)).toEqual([`/v2/${app}/manifests/${manifest.digest}`, '/here', '/there']);
    expect(server.requests.map((request) => request.headers.authorization)).toEqual([basic(reader), basic(reader), basic(reader)]);
    expect(detour.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('takes the range along when it probes', async () => {
    const storage = await registries.elsewhere((_request, response) => response.writeHead(206).end(bytes.subarray(0, 1)));
    const { repository } = await registries.start((_request, response) =>
      response.writeHead(307, { location: `${storage.origin}/b` }).end(),
    );

    expect(await repository.probeBlob(blob)).toBe(true);
    expect(storage.requests[0]?.headers.range).toBe('bytes=0-0');
  });

  it('stops in a loop', async () => {
    const { server, repository } = await registries.start((request, response) => response.writeHead(307, { location: request.url }).end());

    const error = await contentErrorOf(repository.readManifest(latest));

    expect(error).toMatchObject({ code: 'protocol', status: 307, retryable: false });
    expect(server.requests).toHaveLength(6);
  });

  it.each([
    ['nowhere', undefined],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
    ['another protocol', 'ftp://127.0.0.1/blob'],
    ['credentials', 'http://anna:hunter2@127.0.0.1/'],
  ])('does not follow to %s', async (_title, location) => {
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(307, location === undefined ? {} : { location }).end();
    });

    const error = await contentErrorOf(repository.readBlob(blob));

    expect(error.code).toBe('protocol');
    expect(error.message).not.toContain('hunter2');
    expect(server.requests).toHaveLength(1);
  });

  it('follows five hops, and not a sixth', async () => {
    const hops = async (count: number): Promise<Buffer[]> => {
      const { repository } = await registries.start((request, response) => {
        const done = Number(/^\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0);
        if (done === count) return response.writeHead(200).end(bytes);
        return response.writeHead(302, { location: `/${done + 1}` }).end();
      });
      return (await (await repository.readBlob(blob)).toArray()) as Buffer[];
    };

    expect(Buffer.concat(await hops(5)).equals(bytes)).toBe(true);
    expect(await contentErrorOf(hops(6))).toMatchObject({ code: 'protocol', status: 302 });
  });

  it('does not follow from https to http, not even by a detour', async () => {
    const authority = createAuthority();
    const certificate = authority.issue({ names: ['127.0.0.1'] });
    const plain = await registries.elsewhere((_request, response) => response.end(bytes));
    const detour = await registries.elsewhere(
      (_request, response) => response.writeHead(307, { location: `${plain.origin}/b` }).end(),
      certificate,
    );
    const { repository } = await registries.start(
      (request, response) => response.writeHead(307, { location: `${request.method === 'GET' ? detour.origin : plain.origin}/b` }).end(),
      { tls: { ca: authority.ca } },
      certificate,
    );

    const errors = [await contentErrorOf(repository.readBlob(blob)), await contentErrorOf(repository.resolveTag(latest))];

    for (const error of errors) {
      expect(error.code).toBe('protocol');
      expect(error.message).toContain('from https to http');
    }
    expect(plain.requests).toEqual([]);
  });

  describe('of a write', () => {
    const large = randomBytes(3_000_000, 'more than any buffer holds');
    const largeBlob: BlobRef = { digest: digestOf(large), size: large.byteLength };

    it.each([301, 302, 303, 307, 308])('by %d are not followed, and what was to be written goes nowhere else', async (status) => {
      const elsewhere = await registries.elsewhere((request, response) =>
        request.resume().once('end', () => response.writeHead(201).end()),
      );
      const { server, repository } = await registries.start((request, response) => {
        request.resume().once('end', () => response.writeHead(status, { location: `${elsewhere.origin}/x` }).end());
      });

      const errors = [
        await contentErrorOf(repository.putTag(latest, manifest)),
        await contentErrorOf(repository.pushBlob(blob, streamOf(bytes))), // its first request has no body
      ];

      expect(errors).toMatchObject([
        { code: 'protocol', operation: 'put tag', status },
        { code: 'protocol', operation: 'start upload', status },
      ]);
      expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'POST']);
      expect(elsewhere.requests).toEqual([]);
    });

    it('are not waited for until all bytes are sent', async () => {
      const elsewhere = await registries.elsewhere((_request, response) => response.writeHead(201).end());
      const { server, repository } = await registries.start((request, response) => {
        if (request.method === 'POST') return response.writeHead(202, { location: '/u/1' }).end();
        if (request.method === 'DELETE') return response.writeHead(204).end();
        return response.writeHead(307, { location: `${elsewhere.origin}/u/1` }).end(); // with nothing read
      });

      const error = await contentErrorOf(repository.pushBlob(largeBlob, streamOf(large)));

      expect(error).toMatchObject({ code: 'protocol', operation: 'push blob', status: 307 });
      expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE']);
      expect(elsewhere.requests).toEqual([]);
    });
  });

  it('does not read headers without end', async () => {
    const { repository } = await registries.start((request) => {
      request.socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => void request.socket.write(`x-more: ${'x'.repeat(1000)}\r\n`, (error) => error ?? setImmediate(more));
      more();
    });

    expect(await contentErrorOf(repository.resolveTag(latest))).toMatchObject({ code: 'protocol', retryable: false });
  });

  it('names the host that was linked to when that one fails, and the registry as the one at fault', async () => {
    const gone = await registries.elsewhere((request) => request.socket.destroy());
    const { server, repository } = await registries.start((_request, response) => {
      response.writeHead(307, { location: `${gone.origin}/blob?signature=s3cret` }).end();
    });

    const error = await contentErrorOf(repository.readBlob(blob));

    expect(error).toMatchObject({ code: 'unreachable', retryable: true, host: server.host });
    expect(error.message).toContain(`${gone.host}, which ${server.host} links to,`);
    expect(texts(error)).not.toContain('s3cret');
  });
});

function basic(user: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
}

/** Everything that a log, a job or a problem document could show of an error. */
function texts(error: Error): string {
  return [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 12, showHidden: true })].join('\n');
}
