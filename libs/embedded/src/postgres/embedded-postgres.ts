import type { ChildProcess } from 'node:child_process';
import { EmbeddedError } from '../embedded-error.js';
import type { EmbeddedLog } from '../embedded-log.js';
import type { HeldLock } from '../process/exclusive-lock.js';
import { isStillRunning, type ProcessIdentity } from '../process/process-identity.js';
import { stopProcess } from '../process/stop-process.js';
import { adminRole, postgresMajor } from './cluster.js';
import { databaseName, ownerRole, queueRole } from './database-layout.js';
import type { Credentials, RunHow, ServerFolder } from './server-folder.js';
import { postgresStopSteps } from './stop-steps.js';

export interface EmbeddedPostgresOptions {
  /** The folder of this server: its cluster, passwords and log. Made when absent. */
  readonly dataDir: string;
  readonly log?: EmbeddedLog | undefined;
  /** Called when the server ends without `stop`; for an adopted one within two seconds. */
  readonly onUnexpectedExit?: ((error: EmbeddedError) => void) | undefined;
  /** False for data that may be lost at a crash: nothing is flushed to the disk. For tests only. */
  readonly durable?: boolean | undefined;
  /** Takes this way to run without being root, or fails. For tests. */
  readonly forceHow?: RunHow | undefined;
  /** Programs from another place than npm's. For tests. */
  readonly binariesRoot?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A running PostgreSQL of which this process is the supervisor. */
export interface EmbeddedPostgres {
  /** Connection URL of the application's role and database. Holds a password. */
  readonly url: string;
  /** Connection URL of the queue's role in the same database. Holds a password. */
  readonly queueUrl: string;
  /** Connection URL of the superuser, for making databases. Holds a password. */
  readonly adminUrl: string;
  readonly port: number;
  readonly pid: number;
  /** E.g. `18.4`. */
  readonly version: string;
  readonly major: number;
  readonly how: RunHow;
  readonly dataDir: string;
  /** Whether the server was left behind by a killed supervisor and taken over as it ran. */
  readonly adopted: boolean;
  /** Ends every session, writes everything, gives the folder free. A second call waits for the first. */
  stop(): Promise<void>;
}

/** How the server of a handle came to run. */
export interface RunningServer extends ProcessIdentity {
  readonly port: number;
  readonly how: RunHow;
  /** The child of this process; absent for an adopted server. */
  readonly child?: ChildProcess;
}

/** What a handle needs beside the server. */
export interface HandleParts {
  readonly folder: ServerFolder;
  readonly lock: HeldLock;
  readonly credentials: Credentials;
  readonly version: string;
  readonly onUnexpectedExit?: EmbeddedPostgresOptions['onUnexpectedExit'];
}

const adoptedLookMs = 1_000;

/** Makes the handle and watches the server from here on. */
export function handleOf(server: RunningServer, parts: HandleParts): EmbeddedPostgres {
  const { credentials, folder } = parts;
  let stopping: Promise<void> | undefined;
  onceEnded(server, (exit) => {
    if (stopping === undefined) parts.onUnexpectedExit?.(unexpectedExit(exit, folder));
  });
  return {
    url: postgresUrl(ownerRole, credentials.owner, { port: server.port, database: databaseName }),
    queueUrl: postgresUrl(queueRole, credentials.queue, { port: server.port, database: databaseName }),
    adminUrl: postgresUrl(adminRole, credentials.admin, { port: server.port, database: 'postgres' }),
    port: server.port,
    pid: server.pid,
    version: parts.version,
    major: postgresMajor,
    how: server.how,
    dataDir: folder.root,
    adopted: server.child === undefined,
    stop: () => (stopping ??= stop(server, parts)),
  };
}

/** An adopted server is no child of this process: nothing tells of its end, so it is looked after. */
function onceEnded(server: RunningServer, report: (exit: string) => void): void {
  if (server.child !== undefined) {
    server.child.once('exit', (code, killedBy) => report(killedBy ?? `code ${code}`));
    return;
  }
  const look = setInterval(() => {
    if (isStillRunning(server)) return;
    clearInterval(look);
    report('an unknown status');
  }, adoptedLookMs);
  look.unref();
}

async function stop(server: RunningServer, { lock, folder }: HandleParts): Promise<void> {
  const ended = await stopProcess(server, postgresStopSteps);
  if (ended === 'still-running') {
    const message = `the database (process ${server.pid}) does not end: read ${folder.log}`;
    throw new EmbeddedError(message, { code: 'stop-failed', operation: 'stop the embedded PostgreSQL' });
  }
  await lock.release();
}

/** The connection URL of a role; passwords are hexadecimal, so nothing needs escaping. */
export function postgresUrl(role: string, password: string, at: { readonly port: number; readonly database: string }): string {
  return `postgresql://${role}:${password}@127.0.0.1:${at.port}/${at.database}`;
}

function unexpectedExit(exit: string, folder: ServerFolder): EmbeddedError {
  const message = `the embedded database ended by itself with ${exit}: read ${folder.log}`;
  return new EmbeddedError(message, { code: 'exited', operation: 'run the embedded PostgreSQL', details: { exit } });
}
