import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands before a real server, on loopback, so that its network can be taken away. */
export interface TcpProxy {
  readonly port: number;
  /** Keeps connections open, accepts new ones, and carries nothing: a network that swallows everything. */
  hang(): void;
  /** Ends all connections and accepts no more: a server that is gone. */
  refuse(): Promise<void>;
  /** Carries everything again, what was held back first. */
  flow(): Promise<void>;
  /** Where connections that come from now on lead: another server has taken the place of the first. */
  leadTo(port: number): void;
  stop(): Promise<void>;
}

/** Starts a proxy before a port of 127.0.0.1. */
export async function startTcpProxy(firstPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let hangs = false;
  let targetPort = firstPort;

  const server = createServer({ pauseOnConnect: true }, (client) => {
    const target = connect({ host: '127.0.0.1', port: targetPort });
    const pair = [client, target] as const;
    pairs.add(pair);
    for (const [socket, other] of [pair, [target, client] as const]) {
      socket.on('data', (chunk) => void other.write(chunk));
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
    setFlowing(pair, !hangs);
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return address.port;
  };
  const refuse = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const pair of pairs) pair[0].destroy();
    await closed;
  };

  const port = await listen(0);
  return {
    port,
    refuse,
    stop: refuse,
    leadTo(next) {
      targetPort = next;
    },
    hang() {
      hangs = true;
      for (const pair of pairs) setFlowing(pair, false);
    },
    async flow() {
      hangs = false;
      if (!server.listening) await listen(port);
      for (const pair of pairs) setFlowing(pair, true);
    },
  };
}

function setFlowing(pair: readonly [Socket, Socket], flows: boolean): void {
  for (const socket of pair) {
    if (flows) socket.resume();
    else socket.pause();
  }
}
