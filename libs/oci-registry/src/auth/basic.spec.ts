import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { buildImage, contentErrorOf, sample, type Script, scriptedRegistries } from '@waybill/testing';
import type { CredentialProvider } from './credentials.js';
import { basicCredentials } from './static-credentials.js';

const { latest } = sample;
const { manifest } = buildImage();
const reader = { username: 'reader', password: 'open sesame' };
const writer = { username: 'writer', password: 'shut sesame' };

describe('credentials', () => {
  const registries = scriptedRegistries();
  const both = { credentials: { read: provider(reader), write: provider(writer) } };

  it('are sent at once, those for reading and for writing apart', async () => {
    const { server, client, repository } = await registries.start((request, response) => {
      if (request.method === 'PUT') return response.writeHead(201).end();
      return response.writeHead(200, { 'docker-content-digest': manifest.digest }).end();
    }, both);

    await client.ping();
    await repository.resolveTag(latest);
    await repository.putTag(latest, manifest);

    expect(server.requests.map((request) => request.headers.authorization)).toEqual([basic(reader), basic(reader), basic(writer)]);
  });

  it('for writing serve for reading too when there are no others, but never the other way round', async () => {
    const script: Script = (request, response) => response.writeHead(request.method === 'PUT' ? 201 : 404).end();
    const onlyWrite = await registries.start(script, { credentials: { write: provider(writer) } });
    const onlyRead = await registries.start(script, { credentials: { read: provider(reader) } });

    for (const { repository } of [onlyWrite, onlyRead]) {
      await repository.resolveTag(latest);
      await repository.putTag(latest, manifest);
    }

    expect(onlyWrite.server.requests.map((request) => request.headers.authorization)).toEqual([basic(writer), basic(writer)]);
    expect(onlyRead.server.requests.map((request) => request.headers.authorization)).toEqual([basic(reader), undefined]);
  });

  it('with letters beyond ASCII are sent as UTF-8', async () => {
    const { server, client } = await registries.start((_request, response) => response.end(), {
      credentials: { read: basicCredentials('jürgen', 'pä:ss') },
    });

    await client.ping();

    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('jürgen:pä:ss', 'utf8').toString('base64')}`);
  });

  it('show in no error, though a registry throws them back', async () => {
    const { repository } = await registries.start((request, response) => {
      const echo = `${request.headers.authorization} ${writer.password} https://writer:${writer.password}@host/ ${request.url}?_state=s3cret`;
      response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: echo, detail: echo }] }));
    }, both);

    const errors = [await contentErrorOf(repository.putTag(latest, manifest)), await contentErrorOf(repository.readManifest(latest))];

    for (const error of errors) {
      expect(error.code).toBe('denied');
      expect(texts(error)).not.toMatch(/sesame|s3cret/);
      expect(texts(error)).not.toContain(basic(writer).slice('Basic '.length));
      expect(texts(error)).not.toContain(basic(reader).slice('Basic '.length));
    }
  });

  it('show in no error of a broken connection', async () => {
    const { repository } = await registries.start((request) => request.socket.destroy(), both);

    const error = await contentErrorOf(repository.putTag(latest, manifest));

    expect(error.code).toBe('unreachable');
    expect(texts(error)).not.toMatch(/sesame|authorization/i);
    expect(texts(error)).not.toContain(basic(writer).slice('Basic '.length));
  });

  it('show in neither client nor repository', async () => {
    const { client, repository } = await registries.start((_request, response) => response.end(), both);

    expect(inspect([client, repository], { depth: 12, showHidden: true }) + JSON.stringify([client, repository])).not.toMatch(/sesame/);
  });
});

function provider({ username, password }: { readonly username: string; readonly password: string }): CredentialProvider {
  return basicCredentials(username, password);
}

function basic(user: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`;
}

/** Everything that a log, a job or a problem document could show of an error. */
function texts(error: Error): string {
  return [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 12, showHidden: true })].join('\n');
}
