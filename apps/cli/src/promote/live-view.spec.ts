import { PassThrough } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Promotion } from '@waybill/contracts/http';
import { type ScriptedServer, startScriptedServer, until } from '@waybill/testing';
import { Interruption } from '../interruption.js';
import { accepted, digest, promotion, promotionId, target, targetId, waybill } from '../scripted-api.spec-helper.js';

const events = `/api/v1/promotions/${promotionId}/events`;
const at = '2026-05-01T10:00:00.000Z';
const running = promotion({ state: 'running', settled: false }, [target({ state: 'copying', outcome: undefined, bytesCopied: 0 })]);

type Stream = (response: ServerResponse, lastEventId: string | undefined) => void;

const servers: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** An API with one promotion, whose streams a spec writes itself: the first one, the second one, and so on. */
async function apiWith(streams: Stream[], state: { now: Promotion }) {
  const asked: string[] = [];
  const server = await startScriptedServer(({ method = '', url = '', headers }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    asked.push(`${method} ${pathname}`);
    if (pathname === events || pathname === '/api/v1/events') {
      const stream = streams.shift();
      if (stream === undefined) response.writeHead(502).end();
      else stream(response, headers['last-event-id'] as string | undefined);
      return;
    }
    if (pathname.endsWith('/cancel')) state.now = promotion({ state: 'cancelled' }, [target({ outcome: 'cancelled' })]);
    const body = method === 'POST' && pathname === '/api/v1/promotions' ? accepted() : state.now;
    response.writeHead(method === 'POST' ? 202 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  servers.push(server);
  return { url: server.origin, asked, looks: () => asked.filter((one) => one === `GET /api/v1/promotions/${promotionId}`).length };
}

function begin(response: ServerResponse, id = '1'): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  tell(response, 'position', { position: id }, id);
}

function tell(response: ServerResponse, name: string, data: object, id?: string): void {
  response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

const stateOf = (state: string) => ({ promotionId, occurredAt: at, path: 'release', state, requestedAt: at });
const wait = ['promote', 'ci-snapshots/team-a/app:1.4.0', '--path', 'release', '--wait'];

describe('waybill promote --wait, with a stream', () => {
  it('looks when it is told to, and goes on where the stream was cut', async () => {
    const state = { now: running };
    const resumedFrom: (string | undefined)[] = [];
    const streams: Stream[] = [
      (response, lastEventId) => {
        resumedFrom.push(lastEventId);
        begin(response);
        tell(response, 'promotion', stateOf('running'), '7');
        setImmediate(() => response.destroy());
      },
      (response, lastEventId) => {
        resumedFrom.push(lastEventId);
        begin(response, '7');
        state.now = promotion();
        tell(response, 'promotion', stateOf('succeeded'), '8');
      },
    ];
    const api = await apiWith(streams, state);

    const ran = await waybill(wait, { api: api.url });

    expect(ran.status).toBe(0);
    expect(resumedFrom).toEqual([undefined, '7']);
    expect(api.looks()).toBeLessThan(8);
    expect(ran.stdout).toContain('prod/team-a/app:1.4.0: copied');
  });

  it('looks again and again where a proxy puts a page in the place of the stream', async () => {
    const state = { now: running };
    const page: Stream = (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>please log in</p>');
      setTimeout(() => (state.now = promotion()), 300);
    };
    const api = await apiWith([page], state);

    expect(await waybill(wait, { api: api.url })).toMatchObject({ status: 0 });
    expect(api.asked.filter((one) => one.endsWith('/events'))).toHaveLength(1);
  });

  it('shows a bar for every blob under way on a terminal, and takes it away', async () => {
    const state = { now: running };
    const shown = { text: '' };
    const size = 4096;
    const progress = (blob: object) => ({
      ...{ promotionId, location: 'eu', targets: [{ target: targetId, bytesCopied: 1024, bytesMounted: 0, bytesSkipped: 0 }] },
      blobs: [{ target: targetId, digest, size, ...blob }],
    });
    const stream: Stream = (response) => {
      begin(response);
      const telling = setInterval(() => tell(response, 'progress', progress({ done: 1024, state: 'copying' })), 20);
      void until('the bar is seen', () => shown.text.includes('1.0 KiB / 4.0 KiB')).then(() => {
        clearInterval(telling);
        tell(response, 'progress', progress({ done: size, state: 'copied' }));
        state.now = promotion();
        tell(response, 'end', { position: '9' }, '9');
      });
    };
    const api = await apiWith([stream], state);

    const ran = await waybill(wait, { api: api.url, isTTY: true, onWrite: (text) => (shown.text = text) });

    expect(ran.status).toBe(0);
    expect(shown.text).toContain('sha256:abababababab → prod');
    expect(shown.text.slice(shown.text.lastIndexOf('copied'))).not.toContain('sha256:abababababab → prod');
  });

  it.each([
    [wait, 'c\r', 6, 'promotion 01920000-0000-7000-8000-000000000001: cancelled', true],
    [wait, '\r', 130, 'the promotion goes on. Follow it with', false],
    [wait, '\u0003', 130, 'the promotion goes on. Follow it with', false],
    [['retry', promotionId, '--wait'], 'c\r', 6, 'promotion 01920000-0000-7000-8000-000000000001: cancelled', true],
  ])('asks at Ctrl-C on a terminal what shall become of it: %j, %j', async (command, keys, status, said, isCancelled) => {
    const state = { now: running };
    const stop = new AbortController();
    const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => keyboard });
    const stream: Stream = (response) => {
      begin(response);
      setImmediate(() => stop.abort(new Interruption('SIGINT')));
    };
    const api = await apiWith([stream], state);
    let isAnswered = false;
    const answer = (text: string): void => {
      if (isAnswered || !text.includes('or cancel it?')) return;
      isAnswered = true;
      setImmediate(() => keyboard.write(keys));
    };

    const ran = await waybill(command, { api: api.url, isTTY: true, keyboard, stop: stop.signal, onWrite: answer });

    expect(ran.status).toBe(status);
    expect(ran.stdout + ran.stderr).toContain(said);
    expect(api.asked.includes(`POST /api/v1/promotions/${promotionId}/cancel`)).toBe(isCancelled);
  });
});

describe('waybill status --watch', () => {
  it('follows one promotion to its end', async () => {
    const state = { now: running };
    const stream: Stream = (response) => {
      begin(response);
      state.now = promotion({ state: 'rejected' });
      tell(response, 'end', { position: '2' }, '2');
    };
    const api = await apiWith([stream], state);

    expect(await waybill(['status', promotionId, '--watch'], { api: api.url })).toMatchObject({
      status: 7,
      stdout: expect.stringContaining(`promotion ${promotionId}: rejected`),
    });
  });

  const told: Stream = (response) => {
    begin(response);
    const {
      id: _id,
      tags: _tags,
      ...facts
    } = target({ outcome: 'failed', error: { code: 'denied', message: 'no', operation: 'push', retryable: false } });
    tell(response, 'target', { ...facts, promotionId, occurredAt: at, target: targetId, item: 0 }, '2');
    tell(response, 'unheard-of', {}, '3');
    tell(response, 'promotion', stateOf('failed'), '4');
  };

  it('tells of all, a line each, until it is stopped', async () => {
    const stop = new AbortController();
    const api = await apiWith([told], { now: running });
    const onWrite = (text: string): void => {
      if (text.includes('release: failed')) stop.abort(new Interruption('SIGINT'));
    };

    const ran = await waybill(['status', '--watch'], { api: api.url, stop: stop.signal, onWrite });

    expect(ran).toMatchObject({
      status: 130,
      stdout: `${at}  ${promotionId}  prod/team-a/app: failed (no)\n${at}  ${promotionId}  release: failed\n`,
    });
  });

  it('tells programs of all, a JSON document in each line', async () => {
    const stop = new AbortController();
    const api = await apiWith([told], { now: running });
    const onWrite = (text: string): void => {
      if (text.includes('"event":"promotion"')) stop.abort(new Interruption('SIGINT'));
    };

    const { stdout } = await waybill(['status', '--watch', '--json'], { api: api.url, stop: stop.signal, onWrite });

    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { event: 'position', id: '1' },
      { event: 'target', id: '2', outcome: 'failed' },
      { event: 'promotion', id: '4', state: 'failed' },
    ]);
  });
});
