import { EmbeddedError, fromSystemError } from '../embedded-error.js';
import { stopProcess } from '../process/stop-process.js';
import { systemCodeOf } from '../process/system-error.js';
import { takeFolder } from '../process/take-folder.js';
import { withAdmin } from './admin-connection.js';
import { binariesIn, findPostgresBinaries, type PostgresBinaries } from './binaries.js';
import { clusterIn, findCluster, postgresMajor, prepareCluster } from './cluster.js';
import { createDatabase, databaseName, layOutDatabase, layOutRoles } from './database-layout.js';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, handleOf, type RunningServer } from './embedded-postgres.js';
import { launchPostgres } from './launch.js';
import { adoptOrStopOrphan } from './orphan.js';
import { disownPostmasterFile } from './postmaster-file.js';
import { chooseRunIdentity } from './run-identity.js';
import {
  type Credentials,
  loadCredentials,
  openServerFolder,
  passwordsUnusable,
  readServerState,
  rememberServerState,
  type ServerFolder,
} from './server-folder.js';
import { postgresStopSteps } from './stop-steps.js';

const operation = 'start the embedded PostgreSQL';

/**
 * Starts PostgreSQL on 127.0.0.1, or adopts the one that a killed supervisor left in the folder.
 * Codes: all of {@link EmbeddedError}; `already-running` when a living process supervises the folder.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = await openServerFolder(options.dataDir);
  const lock = await takeFolder({ what: 'the database', folder: folder.root, lockFile: folder.lock });
  let server: RunningServer | undefined;
  try {
    const { relocatedTo } = await readServerState(folder);
    const clusterExists = await findCluster(clusterIn(relocatedTo ?? folder.root));
    const credentials = await loadCredentials(folder, clusterExists);
    server = await adoptOrStart(folder, credentials, options);
    await lock.announce(`127.0.0.1:${server.port}`);
    const version = await layOut(server.port, credentials);
    await rememberServerState(folder, { port: server.port, how: server.how });
    const postgres = handleOf(server, { folder, lock, credentials, version, onUnexpectedExit: options.onUnexpectedExit });
    const { pid, port, how, adopted } = postgres;
    options.log?.('the embedded database is ready', { pid, port, version, how, adopted });
    return postgres;
  } catch (cause) {
    if (server) await stopProcess(server, postgresStopSteps);
    await lock.release();
    // SQLSTATE 28P01, invalid_password (PostgreSQL 18, appendix A).
    if (systemCodeOf(cause) === '28P01') throw passwordsUnusable(folder, 'does not fit it', cause);
    throw fromSystemError(cause, { operation, path: folder.root });
  }
}

async function adoptOrStart(folder: ServerFolder, credentials: Credentials, options: EmbeddedPostgresOptions): Promise<RunningServer> {
  const state = await readServerState(folder);
  const orphan = await adoptOrStopOrphan({
    dataFolder: clusterIn(state.relocatedTo ?? folder.root),
    adminPassword: credentials.admin,
    log: options.log,
  });
  if (orphan !== undefined) return { ...orphan, how: state.how ?? 'direct' };

  const { signal, forceHow: force, durable = true } = options;
  const binaries = await programsOf(options);
  const identity = await chooseRunIdentity({ folder, binaries, relocatedTo: state.relocatedTo, force, signal });
  assertMajor(identity.version);
  const dataFolder = await prepareCluster({ identity, adminPassword: credentials.admin, durable, signal });
  await disownPostmasterFile(dataFolder);
  const launched = await launchPostgres({
    identity,
    dataFolder,
    logFile: folder.log,
    preferredPort: state.port,
    durable,
    signal,
  });
  // The server must not keep a supervisor alive that has nothing else to do.
  launched.child.unref();
  return { ...launched, how: identity.how };
}

async function programsOf({ binariesRoot }: EmbeddedPostgresOptions): Promise<PostgresBinaries> {
  return binariesRoot === undefined ? findPostgresBinaries() : binariesIn(binariesRoot);
}

function assertMajor(version: string): void {
  if (version.startsWith(`${postgresMajor}.`)) return;
  const message = `the PostgreSQL programs are of version ${version}, this release runs PostgreSQL ${postgresMajor}: run npm install again`;
  throw new EmbeddedError(message, { code: 'wrong-major', operation, details: { found: version, wanted: postgresMajor } });
}

/** Makes or repairs roles and database; done at every start, since the first may have died half-way. Gives the server's version. */
async function layOut(port: number, credentials: Credentials): Promise<string> {
  await withAdmin({ port, database: 'postgres', password: credentials.admin }, async (client) => {
    await layOutRoles(client, credentials);
    await createDatabase(client, databaseName);
  });
  return withAdmin({ port, database: databaseName, password: credentials.admin }, async (client) => {
    await layOutDatabase(client);
    const { rows } = await client.query<{ version: string }>(`SELECT split_part(current_setting('server_version'), ' ', 1) AS version`);
    return rows[0]?.version ?? '';
  });
}
