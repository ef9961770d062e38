import { describeJobQueue, describeQueueOutages, type QueueBackendFixture, startTcpProxy, startTestPostgres } from '@waybill/testing';
import pg from 'pg';

describeJobQueue('PostgreSQL that locks its role out', startLockingPostgres);
describeQueueOutages('PostgreSQL behind a network that hangs', () => startProxiedPostgres('hang'));
describeQueueOutages('PostgreSQL that refuses connections', () => startProxiedPostgres('refuse'));

/** The queue's role is locked out and its sessions are ended, while the server and the application's role go on. */
async function startLockingPostgres(): Promise<QueueBackendFixture> {
  const { url, admin, role, dispose } = await startPostgres();
  return {
    config: { kind: 'postgres', url },
    async stop() {
      await admin.query(`ALTER ROLE ${role} NOLOGIN`);
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role]);
    },
    async resume() {
      await admin.query(`ALTER ROLE ${role} LOGIN`);
    },
    lose: () => empty(admin),
    dispose,
  };
}

async function startProxiedPostgres(outage: 'hang' | 'refuse'): Promise<QueueBackendFixture> {
  const { url, admin, dispose } = await startPostgres();
  const proxy = await startTcpProxy(Number(new URL(url).port));
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  return {
    config: { kind: 'postgres', url: proxied.href },
    stop: async () => proxy[outage](),
    resume: () => proxy.flow(),
    lose: () => empty(admin),
    async dispose() {
      await proxy.stop();
      await dispose();
    },
  };
}

interface StartedPostgres {
  readonly url: string;
  readonly role: string;
  readonly admin: pg.Pool;
  dispose(): Promise<void>;
}

async function startPostgres(): Promise<StartedPostgres> {
  const server = await startTestPostgres();
  const url = new URL(server.queueUrl);
  const adminUrl = new URL(server.adminUrl);
  adminUrl.pathname = url.pathname;
  const admin = new pg.Pool({ connectionString: adminUrl.href, max: 1 });
  // The server may end the session before the pool has.
  admin.on('error', () => undefined);
  return {
    url: url.href,
    role: url.username,
    admin,
    async dispose() {
      await admin.end();
      await server.stop();
    },
  };
}

async function empty(admin: pg.Pool): Promise<void> {
  await admin.query('TRUNCATE bullmq.job, bullmq.event, bullmq.meta CASCADE');
}
