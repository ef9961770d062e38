import pg from 'pg';

/** The role under which a queue uses PostgreSQL, in the hands of the superuser. */
export interface QueueRole {
  /** Nobody comes in as it, and its sessions end, while the server and other roles go on. */
  lockOut(): Promise<void>;
  letIn(): Promise<void>;
  /** Takes away every job that the queue holds. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** Of a server with a queue; `adminUrl` is the superuser's. */
export function controlQueueRole({ adminUrl, queueUrl }: { readonly adminUrl: string; readonly queueUrl: string }): QueueRole {
  const queue = new URL(queueUrl);
  const url = new URL(adminUrl);
  url.pathname = queue.pathname;
  const admin = new pg.Pool({ connectionString: url.href, max: 1 });
  // The server may end the session before the pool has.
  admin.on('error', () => undefined);
  return {
    async lockOut() {
      await admin.query(`ALTER ROLE ${queue.username} NOLOGIN`);
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [queue.username]);
    },
    async letIn() {
      await admin.query(`ALTER ROLE ${queue.username} LOGIN`);
    },
    async empty() {
      await admin.query('TRUNCATE bullmq.job, bullmq.event, bullmq.meta CASCADE');
    },
    close: () => admin.end(),
  };
}
