import { once } from 'node:events';
import { Agent, type ClientRequest, createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import { pipeline, Transform, type TransformCallback } from 'node:stream';

export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
}

/** What goes wrong with one request. */
export type Fault =
  /** Answered by the proxy; the registry never hears of it. */
  | { readonly kind: 'refuse'; readonly status: number }
  /** Passed on once the promise resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** So many bytes of the answer's body arrive, then nothing. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The registry does what is asked, and its answer never arrives. */
  | { readonly kind: 'swallow-answer' };

/** Stands before a registry, so that requests can be counted and things can go wrong between it and whoever asks. */
export interface FaultProxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Every request that came, in order. */
  readonly requests: readonly ProxiedRequest[];
  /** The next request that matches meets the fault, only that one. Resolves when the fault has come about. */
  once(matches: (request: ProxiedRequest) => boolean, fault: Fault): Promise<void>;
  /** Every request that matches meets the fault from now on. */
  always(matches: (request: ProxiedRequest) => boolean, fault: Fault): void;
  /** From now on every connection is broken at once, as if nobody were there. */
  down(): void;
  up(): void;
  /** Resolves when the registry has answered every write that it got whole, also those for whose answer nobody waits any more. */
  writesDone(): Promise<void>;
  stop(): Promise<void>;
}

interface Trap {
  readonly matches: (request: ProxiedRequest) => boolean;
  readonly fault: Fault;
  readonly sprung: () => void;
  readonly stays?: true;
}

/** Starts a proxy before the registry at `target`. The name that was asked for goes on to it, so its links lead back here. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const requests: ProxiedRequest[] = [];
  const traps: Trap[] = [];
  const writes = new Set<Promise<void>>();
  let isDown = false;

  function passOn(request: IncomingMessage, response: ServerResponse, trap?: Trap): void {
    const { method, url: path, headers } = request;
    const upstream = send({ hostname, port, agent, method, path, headers });
    const isWrite = method !== 'GET' && method !== 'HEAD';
    if (isWrite) noteUntilClosed(writes, upstream);
    pipeline(request, upstream, () => undefined);
    upstream.on('error', () => response.destroy());
    upstream.on('response', (answer) => {
      passBack(answer, response, trap);
    });
    // A registry does what it was told whole, whether or not somebody hears its answer.
    response.on('close', () => {
      if (!isWrite || !request.complete) upstream.destroy();
    });
  }

  const server = createServer((request, response) => {
    const asked = { method: request.method ?? '', url: request.url ?? '' };
    requests.push(asked);
    const trap = springFirst(traps, asked);
    if (trap?.fault.kind === 'refuse') {
      response.writeHead(trap.fault.status).end();
      trap.sprung();
      return;
    }
    if (trap?.fault.kind === 'hold') {
      trap.sprung();
      void trap.fault.until.then(() => passOn(request, response));
      return;
    }
    passOn(request, response, trap);
  });
  server.on('connection', (socket) => {
    if (isDown) socket.resetAndDestroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    once: (matches, fault) => new Promise((resolve) => void traps.push({ matches, fault, sprung: resolve })),
    always: (matches, fault) => void traps.push({ matches, fault, sprung: () => undefined, stays: true }),
    down() {
      isDown = true;
      server.closeAllConnections();
    },
    up() {
      isDown = false;
    },
    async writesDone() {
      while (writes.size > 0) await Promise.all(writes);
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

function noteUntilClosed(open: Set<Promise<void>>, request: ClientRequest): void {
  const closed = new Promise<void>((resolve) => void request.once('close', resolve));
  open.add(closed);
  void closed.then(() => open.delete(closed));
}

function passBack(answer: IncomingMessage, response: ServerResponse, trap: Trap | undefined): void {
  if (trap?.fault.kind === 'swallow-answer') {
    answer.resume().once('end', trap.sprung);
    return;
  }
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  if (trap?.fault.kind === 'stall') pipeline(answer, stallAfter(trap.fault.afterBytes, trap.sprung), response, () => undefined);
  else pipeline(answer, response, () => undefined);
}

/** Passes `bytes` bytes; what follows stays until the stream is destroyed. */
function stallAfter(bytes: number, stalled: () => void): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      this.push(chunk.subarray(0, left));
      left -= chunk.byteLength;
      if (left > 0) done();
      else stalled();
    },
  });
}

/** The first that matches, which is gone then unless it stays. */
function springFirst(traps: Trap[], asked: ProxiedRequest): Trap | undefined {
  const at = traps.findIndex(({ matches }) => matches(asked));
  const trap = traps[at];
  if (trap !== undefined && trap.stays === undefined) traps.splice(at, 1);
  return trap;
}
