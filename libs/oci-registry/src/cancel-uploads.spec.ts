import { setMaxListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { parseRepositoryName } from '@waybill/oci-model';
import { contentErrorOf, sample, scriptedRegistries, streamOf } from '@waybill/testing';
import { defaultTimeouts } from './options.js';

const { blob, bytes } = sample;

describe('uploads that are given up', () => {
  const registries = scriptedRegistries();

  it('leave a stopping worker time: its queue waits 5 s for jobs to end, and they have more to do than this', () => {
    expect(defaultTimeouts.cancelMs).toBeLessThanOrEqual(1_500);
  });

  it('all at once are cancelled at once, not one after another', async () => {
    const connections = 16;
    const uploads = connections / 2; // as many as have a connection for blobs
    const controller = new AbortController();
    let arrived = 0;
    let sessions = 0;
    const held: (() => void)[] = [];
    const { server, repository } = await registries.start(
      (request, response) => {
        request.resume();
        switch (request.method) {
          case 'POST':
            sessions += 1;
            return response.writeHead(202, { location: `/u/${sessions}`, 'content-length': 0 }).end();
          case 'PUT':
            arrived += 1;
            if (arrived === uploads) controller.abort();
            return undefined;
          default:
            // None is answered before all are there.
            held.push(() => response.writeHead(204).end());
            if (held.length === uploads) for (const answer of held) answer();
            return undefined;
        }
      },
      { connections, timeouts: { cancelMs: 20_000 } },
    );

    const errors = await Promise.all(
      Array.from({ length: uploads }, () => contentErrorOf(repository.pushBlob(blob, streamOf(bytes), { signal: controller.signal }))),
    );

    expect(errors.map(({ code }) => code)).toEqual(Array.from({ length: uploads }, () => 'aborted'));
    const cancelled = server.requests.flatMap(({ method, url }) => (method === 'DELETE' ? [url] : []));
    expect(new Set(cancelled).size).toBe(uploads);
  });

  it.each(['pushed', 'mounted'])('while one is opened, to be %s, are given back by their name', async (how) => {
    const controller = new AbortController();
    const { server, repository } = await registries.start((request, response) => {
      request.resume();
      if (request.method === 'DELETE') return response.writeHead(204).end();
      controller.abort();
      return setImmediate(() => response.writeHead(202, { location: '/u/1', 'content-length': 0 }).end());
    });
    const { signal } = controller;

    if (how === 'pushed') {
      expect((await contentErrorOf(repository.pushBlob(blob, streamOf(bytes), { signal }))).code).toBe('aborted');
    } else {
      const mount = await repository.mountBlob(blob, parseRepositoryName('team/other'), signal);
      if (!mount.mounted) await mount.upload?.cancel();
    }

    expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    expect(server.requests.at(-1)?.url).toBe('/u/1');
  });

  it('while one is opened are not waited for without end', async () => {
    const controller = new AbortController();
    const { repository } = await registries.start(
      (request) => {
        request.resume();
        setImmediate(() => controller.abort());
      },
      { timeouts: { cancelMs: 20, answerMs: 60_000 } },
    );

    const error = await contentErrorOf(repository.pushBlob(blob, streamOf(bytes), { signal: controller.signal }));

    expect(error.code).toBe('aborted');
  });

  it('end in time, though the registry has no ear for it and there are more of them than connections', async () => {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    let sessions = 0;
    const { repository } = await registries.start(
      (request, response) => {
        request.resume();
        if (request.method !== 'POST') return undefined;
        sessions += 1;
        if (sessions === 40) setImmediate(() => controller.abort());
        return response.writeHead(202, { location: `/u/${sessions}`, 'content-length': 0 }).end();
      },
      { connections: 2, timeouts: { cancelMs: 50 } },
    );

    const errors = await Promise.all(
      Array.from({ length: 40 }, () => contentErrorOf(repository.pushBlob(blob, streamOf(bytes), { signal: controller.signal }))),
    );

    expect(errors.every(({ code }) => code === 'aborted')).toBe(true);
  });
});
