import { EmbeddedError } from '../embedded-error.js';
import type { EmbeddedLog } from '../embedded-log.js';
import type { ProcessIdentity } from '../process/process-identity.js';
import { stopProcess } from '../process/stop-process.js';
import { withAdmin } from './admin-connection.js';
import { findRunningPostmaster } from './postmaster-file.js';
import { postgresStopSteps } from './stop-steps.js';

export interface OrphanOptions {
  readonly dataFolder: string;
  readonly adminPassword: string;
  readonly log?: EmbeddedLog | undefined;
}

/**
 * Deals with the server that a killed supervisor left on the cluster: gives it when it answers to
 * our password, else stops it. The caller holds the folder's lock, so nobody else supervises it.
 */
export async function adoptOrStopOrphan(options: OrphanOptions): Promise<(ProcessIdentity & { readonly port: number }) | undefined> {
  const { dataFolder, log } = options;
  const orphan = await findRunningPostmaster(dataFolder);
  if (orphan === undefined) return undefined;
  if (await answers(orphan.port, options)) {
    log?.('adopting the database that a killed run left behind', { pid: orphan.pid, port: orphan.port });
    return orphan;
  }
  log?.('stopping the database that a killed run left behind', { pid: orphan.pid });
  if ((await stopProcess(orphan, postgresStopSteps)) === 'still-running') {
    const message = `an earlier database (process ${orphan.pid}) still holds ${dataFolder} and does not end: stop it and start again`;
    throw new EmbeddedError(message, { code: 'already-running', operation: 'stop an orphaned PostgreSQL', details: { pid: orphan.pid } });
  }
  return undefined;
}

/** Whether the server on that port is this cluster's and lets us in. */
async function answers(port: number, { dataFolder, adminPassword }: OrphanOptions): Promise<boolean> {
  try {
    const at = { port, database: 'postgres', password: adminPassword };
    return await withAdmin(at, async (client) => {
      const { rows } = await client.query<{ folder: string }>(`SELECT current_setting('data_directory') AS folder`);
      return rows[0]?.folder === dataFolder;
    });
  } catch {
    // Starting, stopping, another password: in every case it is no server to go on with.
    return false;
  }
}
