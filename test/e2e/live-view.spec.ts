import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { buildImage, describeWith, startTcpProxy, type TcpProxy } from '@waybill/testing';
import { ApiProblem } from '../../apps/cli/src/api-client/api-problem.js';
import type { ApiEvent } from '../../apps/cli/src/api-client/read-events.js';
import { WaybillApi } from '../../apps/cli/src/api-client/waybill-api.js';
import { runCommandLine } from '../../apps/cli/src/command-line.js';
import { Stack } from '../../apps/cli/src/up/stack.js';
import type { ProxiedRequest } from './fault-proxy.js';
import { until } from './poll.js';
import { releaseTopology } from './release-topology.js';
import { startSystem, type System } from './system.js';

jest.setTimeout(120_000);

const topology = releaseTopology('prod');

describeWith('docker-registry', 'a promotion that is followed', () => {
  const started = new Stack();
  let system: System;
  /** Between those who follow and the API. */
  let network: TcpProxy;
  let url: string;

  beforeAll(async () => {
    system = await startSystem({ topology });
    started.push(() => system.stop());
    network = await startTcpProxy(Number(new URL(system.api.url).port));
    started.push(() => network.stop());
    url = `http://127.0.0.1:${network.port}`;
  });

  afterAll(() => started.unwind());

  /** What the command line wrote so far, and its end. */
  function commandLine(...args: string[]) {
    const written = { text: '' };
    const stream = { write: (text: string) => void (written.text += text) };
    const environment = { ...system.environment, WAYBILL_API_URL: url };
    const stop = new AbortController().signal;
    return { written, status: runCommandLine(args, { root: '/nowhere', version: '0', stop, stdout: stream, stderr: stream, environment }) };
  }

  function copiedBlobs(events: readonly ApiEvent[]) {
    return events.flatMap((event) => (event.name === 'progress' ? event.data.blobs.filter(({ state }) => state === 'copied') : []));
  }

  /** Reads all that is told of a promotion, and comes back when it is cut, as a client should. */
  async function readToTheEnd(api: WaybillApi, id: string, seen: ApiEvent[]): Promise<void> {
    let after: string | undefined = '0';
    await until('the end of the stream', async () => {
      try {
        for await (const event of api.promotionEvents(id, { after })) {
          after = event.id ?? after;
          seen.push(event);
        }
      } catch (error) {
        if (!(error instanceof ApiProblem && error.retryable)) throw error;
      }
      return seen.at(-1)?.name === 'end' ? true : undefined;
    });
  }

  it('is told of whole, with its bytes, although the network is cut and the worker comes late', async () => {
    const image = buildImage({ layers: 3 });
    await system.registry('ci-snapshots').push('team-a/app', '1.0.0', image);
    const cli = commandLine('promote', 'ci-snapshots/team-a/app:1.0.0', '--path', 'release', '--wait');
    const id = await until('the promotion is requested', () => /^promotion (\S+)$/m.exec(cli.written.text)?.[1]);
    const seen: ApiEvent[] = [];
    const reading = readToTheEnd(new WaybillApi({ url, key: system.environment['WAYBILL_API_KEY'] }), id, seen);
    await until('events come', () => (seen.length > 0 ? true : undefined));

    await network.refuse();
    await network.flow();
    await until('events come again', () => (seen.filter(({ name }) => name === 'position').length > 1 ? true : undefined));
    // No worker waits until its bytes are told: without this, the promotion may be over first.
    const heard = new EventEmitter();
    const isManifest = ({ method, url: asked }: ProxiedRequest) => method === 'PUT' && asked.includes('/manifests/');
    void system.registry('prod').proxy.once(isManifest, { kind: 'hold', until: once(heard, 'all bytes').then(() => undefined) });
    await system.startWorker();
    await until('every blob is told of', () =>
      new Set(copiedBlobs(seen).map(({ digest }) => digest)).size === image.blobs.size ? true : undefined,
    );
    heard.emit('all bytes');

    expect(await cli.status).toBe(0);
    await reading;
    expect(cli.written.text).toContain('prod/team-a/app:1.0.0: copied');
    const steps = seen.filter(({ name }) => name === 'promotion' || name === 'target' || name === 'tag');
    expect(steps.map((event) => ('data' in event && 'state' in event.data ? event.data.state : event.name))).toEqual([
      ...['requested', 'running', 'copying', 'verifying', 'attesting', 'tagging', 'tag', 'done', 'succeeded'],
    ]);
    const ids = steps.map((event) => Number(event.id));
    expect(ids).toEqual([...new Set(ids)].sort((one, other) => one - other));
    const arrived = copiedBlobs(seen);
    expect(new Set(arrived.map(({ digest }) => digest))).toEqual(new Set(image.blobs.keys()));
    for (const { size, done } of arrived) expect(done).toBe(size);
  });
});
