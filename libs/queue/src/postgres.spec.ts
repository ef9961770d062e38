import {
  controlQueueRole,
  describeJobQueue,
  describeQueueOutages,
  type QueueBackendFixture,
  type QueueRole,
  startTcpProxy,
  startTestPostgres,
} from '@waybill/testing';

describeJobQueue('PostgreSQL that locks its role out', startLockingPostgres);
describeQueueOutages('PostgreSQL behind a network that hangs', () => startProxiedPostgres('hang'));
describeQueueOutages('PostgreSQL that refuses connections', () => startProxiedPostgres('refuse'));

async function startLockingPostgres(): Promise<QueueBackendFixture> {
  const { url, role, dispose } = await startPostgres();
  return {
    config: { kind: 'postgres', url },
    stop: () => role.lockOut(),
    resume: () => role.letIn(),
    lose: () => role.empty(),
    dispose,
  };
}

async function startProxiedPostgres(outage: 'hang' | 'refuse'): Promise<QueueBackendFixture> {
  const { url, role, dispose } = await startPostgres();
  const proxy = await startTcpProxy(Number(new URL(url).port));
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  return {
    config: { kind: 'postgres', url: proxied.href },
    stop: async () => proxy[outage](),
    resume: () => proxy.flow(),
    lose: () => role.empty(),
    async dispose() {
      await proxy.stop();
      await dispose();
    },
  };
}

interface StartedPostgres {
  readonly url: string;
  readonly role: QueueRole;
  dispose(): Promise<void>;
}

async function startPostgres(): Promise<StartedPostgres> {
  const server = await startTestPostgres();
  const role = controlQueueRole(server);
  return {
    url: server.queueUrl,
    role,
    async dispose() {
      await role.close();
      await server.stop();
    },
  };
}
