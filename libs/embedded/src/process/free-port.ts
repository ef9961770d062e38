import { createServer } from 'node:net';
import { EmbeddedError } from '../embedded-error.js';

/**
 * Gives a TCP port of 127.0.0.1 that was free a moment ago: the preferred one when it is, else
 * (and for 0) one that the kernel picks. The caller must still cope with losing the race for it.
 */
export async function findFreePort(preferred?: number): Promise<number> {
  const port = (preferred === undefined ? undefined : await tryToListen(preferred)) ?? (await tryToListen(0));
  if (port !== undefined) return port;
  throw new EmbeddedError('no free TCP port is left on 127.0.0.1: close some programs and start again', {
    code: 'port-unavailable',
    operation: 'find a free port',
    retryable: true,
  });
}

function tryToListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
