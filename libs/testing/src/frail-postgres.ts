import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import pg from 'pg';

/**
 * How a session ends:
 * - `terminated`: the server ends it in words, and does not see what was being sent;
 * - `closed`, `reset`: its connection ends without a word (FIN, RST), and the server does not see what was being sent;
 * - `unheard`: the server does what was sent, and the connection ends before its answer arrives;
 * - `answered`: the server answers and ends the session, and all of it arrives in one piece, as in a process that was busy.
 */
export const sessionEnds = ['terminated', 'closed', 'reset', 'unheard', 'answered'] as const;
export type SessionEnd = (typeof sessionEnds)[number];

/** What a client sends, in the order of a session: to begin it, or text that is found in a message. */
export type SentMessage = 'start' | { readonly containing: string };

export interface FrailPostgres {
  /** The database, as the role of the URL that was given. */
  readonly url: string;
  /**
   * The next session in which `message` is sent ends then. Resolves when it has.
   * What only begins is not known to the server yet, so that `terminated` does not go with `start`: `refuse` does.
   */
  endWhenSent(message: SentMessage, end: SessionEnd): Promise<void>;
  /** As `endWhenSent`, whatever is sent next but `skipped` messages. */
  endAfter(skipped: number, end: SessionEnd): Promise<void>;
  /** The server ends every session, in words. */
  endAll(): Promise<void>;
  /** What would have ended a session and has not been met no longer does; whether there was such a thing. */
  spare(): boolean;
  /** Every new session is refused with this SQLSTATE (PostgreSQL 18, appendix A), until `admit`. */
  refuse(sqlState: string): void;
  admit(): void;
  stop(): Promise<void>;
}

interface Strike {
  readonly end: SessionEnd;
  isMet(sent: Buffer): boolean;
  done(): void;
}

interface Session {
  readonly client: Socket;
  readonly server: Socket;
}

/** Protocol 3.2, "Message Formats": AuthenticationSASLResponse with the proof, the last that a client sends before it may query. */
const lastOfStart = /^p[^]{4}c=/;

/** Stands before a real PostgreSQL and ends its sessions at chosen moments; `adminUrl` is the superuser's. */
export async function startFrailPostgres({ url, adminUrl }: { readonly url: string; readonly adminUrl: string }): Promise<FrailPostgres> {
  const target = Number(new URL(url).port);
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  const sessions = new Set<Session>();
  let strike: Strike | undefined;
  let refusal: string | undefined;

  /** The server's process knows its client by the port that we connected from. */
  const terminate = async (server: Socket): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.once('end', resolve).once('close', () => resolve()));
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port = $1', [server.localPort]);
    await ended;
  };
  const endings: Readonly<Record<SessionEnd, (session: Session, sent: Buffer) => Promise<void>>> = {
    terminated: ({ server }) => terminate(server),
    closed: async ({ client }) => void client.destroy(),
    reset: async ({ client }) => void client.resetAndDestroy(),
    unheard: async ({ client, server }, sent) => {
      server.removeAllListeners('data');
      server.write(sent);
      await once(server, 'data');
      client.destroy();
    },
    answered: async ({ client, server }, sent) => {
      server.removeAllListeners('data').removeAllListeners('end');
      const words: Buffer[] = [];
      server.on('data', (chunk: Buffer) => void words.push(chunk));
      server.write(sent);
      await once(server, 'data');
      await terminate(server);
      client.end(Buffer.concat(words));
    },
  };

  const proxy = createServer((client) => {
    if (refusal !== undefined) {
      const words = refusalOf(refusal);
      client.on('error', () => undefined).once('data', () => client.end(words));
      return;
    }
    const session = { client, server: connect({ host: '127.0.0.1', port: target, allowHalfOpen: true }) };
    sessions.add(session);
    client.on('data', (sent: Buffer) => {
      if (strike?.isMet(sent) !== true) {
        session.server.write(sent);
        return;
      }
      const { end, done } = strike;
      strike = undefined;
      void endings[end](session, sent).then(done);
    });
    session.server.on('data', (answer: Buffer) => void client.write(answer));
    session.server.on('end', () => {
      if (!client.writableEnded) client.end();
    });
    for (const [socket, other] of [[client, session.server] as const, [session.server, client] as const]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        sessions.delete(session);
      });
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const through = new URL(url);
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  through.port = String(address.port);

  const arm = (end: SessionEnd, isMet: (sent: Buffer) => boolean): Promise<void> =>
    new Promise((done) => {
      strike = { end, isMet, done };
    });
  return {
    url: through.href,
    endWhenSent: (message, end) =>
      arm(end, (sent) => (message === 'start' ? lastOfStart.test(sent.toString('latin1')) : sent.includes(message.containing))),
    endAfter(skipped, end) {
      let left = skipped;
      return arm(end, () => left-- === 0);
    },
    async endAll() {
      await Promise.all([...sessions].map(({ server }) => terminate(server)));
    },
    spare() {
      const wasArmed = strike !== undefined;
      strike = undefined;
      return wasArmed;
    },
    refuse: (sqlState) => (refusal = sqlState),
    admit: () => (refusal = undefined),
    async stop() {
      const closed = once(proxy, 'close');
      proxy.close();
      for (const { client } of sessions) client.destroy();
      await closed;
      await admin.end();
    },
  };
}

/** ErrorResponse, as the server says it before it has started, or when it has no room. */
function refusalOf(sqlState: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0Mrefused by the test\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
