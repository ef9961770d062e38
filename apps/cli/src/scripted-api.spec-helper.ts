import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Writable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { afterEach } from '@jest/globals';
import type { AcceptedPromotion, Problem, Promotion } from '@waybill/contracts/http';
import { type ScriptedServer, startScriptedServer } from '@waybill/testing';
import { runCommandLine } from './command-line.js';
import type { TextStream } from './output/console-output.js';

/** A request that the API got. */
export interface Asked {
  readonly route: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
}

/** What a route answers; `silence` leaves the request open. */
export type Route = Answer | 'silence' | ((asked: Asked) => Answer | 'silence');

const servers: ScriptedServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** An API that answers what the test says, by `METHOD /path`; anything else is a problem. */
export async function scriptedApi(routes: Readonly<Record<string, Route>>): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = await startScriptedServer(async (request, response) => {
    const seen = await read(request);
    asked.push(seen);
    const route = routes[seen.route] ?? problem({ status: 404, code: 'not-found', title: `no script for ${seen.route}` });
    const answer = typeof route === 'function' ? route(seen) : route;
    if (answer === 'silence') return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  });
  servers.push(server);
  return { url: server.origin, asked };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const body = request.headers['content-type'] === undefined ? undefined : await json(request);
  return { route: `${request.method} ${pathname}`, query: searchParams, headers: request.headers, body };
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly api?: string;
  readonly key?: string;
  readonly stop?: AbortSignal;
  /** Are the streams a terminal's? */
  readonly isTTY?: boolean;
  readonly keyboard?: NodeJS.ReadableStream;
  /** Beside the variables of the API. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with all that was written so far, after each write. */
  readonly onWrite?: (text: string) => void;
}

/** Runs the command line in this process, as `waybill ARGS` would. */
export async function waybill(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written): TextStream => {
    const write = (text: string, _encoding: string, done: () => void): void => {
      written[name] += text;
      options.onWrite?.(written.stdout + written.stderr);
      done();
    };
    return Object.assign(new Writable({ write, decodeStrings: false }), { isTTY: options.isTTY ?? false, columns: 120 });
  };
  const status = await runCommandLine(args, {
    root: '/nowhere',
    version: '1.2.3',
    stop: options.stop ?? new AbortController().signal,
    keyboard: options.keyboard,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment: { ...options.environment, WAYBILL_API_URL: options.api ?? 'http://127.0.0.1:1', WAYBILL_API_KEY: options.key ?? 'wb_key' },
  });
  return { status, ...written };
}

export function problem(facts: Pick<Problem, 'status' | 'code' | 'title'> & Partial<Problem>): Answer {
  return { status: facts.status, body: { type: `/api/docs/problems#${facts.code}`, ...facts } satisfies Problem };
}

export const promotionId = '01920000-0000-7000-8000-000000000001';
export const targetId = '01920000-0000-7000-8000-00000000000a';
export const digest = `sha256:${'ab'.repeat(32)}` as Promotion['items'][number]['digest'];

type Target = Promotion['items'][number]['targets'][number];
const tag = '1.4.0' as Target['tags'][number]['tag'];

export function target(facts: Partial<Target> = {}): Target {
  return {
    id: facts.registry === undefined ? targetId : `${targetId.slice(0, -2)}${String(facts.registry.length).padStart(2, '0')}`,
    registry: 'prod',
    location: 'eu',
    repository: 'team-a/app',
    requirement: 'required',
    state: 'done',
    outcome: 'copied',
    attempts: 1,
    tags: [{ tag, expected: { kind: 'absent' }, outcome: 'written' }],
    bytesCopied: 2048,
    bytesMounted: 0,
    bytesSkipped: 0,
    startedAt: '2026-05-01T10:00:00.000Z',
    finishedAt: '2026-05-01T10:00:01.250Z',
    ...facts,
  };
}

export function promotion(facts: Partial<Promotion> = {}, targets: readonly Target[] = [target()]): Promotion {
  return {
    id: promotionId,
    path: 'release',
    revision: 1,
    state: 'succeeded',
    settled: true,
    requestedBy: promotionId,
    labels: {},
    intentHash: digest,
    estimate: { madeAt: '2026-05-01T10:00:00Z', targets: [], links: [] },
    items: [
      {
        source: { registry: 'ci-snapshots', repository: 'team-a/app', tag },
        digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        targets: [...targets],
      },
    ],
    requestedAt: '2026-05-01T10:00:00Z',
    ...facts,
  };
}

export function accepted(): AcceptedPromotion {
  const { id, path, revision, intentHash, estimate, items } = promotion();
  return {
    id,
    path,
    revision,
    intentHash,
    estimate,
    state: 'requested',
    items: items.map(({ source, digest: pinned, targets }) => ({
      source,
      digest: pinned,
      targets: targets.map(({ registry, repository, requirement }) => ({ registry, repository, requirement, tags: [tag] })),
    })),
  };
}
