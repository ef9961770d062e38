import { connect } from 'node:net';
import { WaybillError } from '@waybill/kernel';

/** A server that the environment names does not answer. */
export class ServerUnreachable extends WaybillError<'server-unreachable'> {}

const timeoutMs = 5_000;
const defaultPorts: Readonly<Record<string, number>> = { 'postgres:': 5432, 'postgresql:': 5432, 'redis:': 6379, 'rediss:': 6379 };

/**
 * Looks whether the servers that replace embedded parts listen at all, so that a wrong address is told at once
 * and by the variable's name. Whether they are what they should be, api and worker find out.
 * @throws ServerUnreachable
 */
export async function reachServers(environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const named = ['DATABASE_URL', 'WAYBILL_QUEUE_DATABASE_URL', 'REDIS_URL'] as const;
  await Promise.all(named.map((variable) => reach(variable, environment[variable], signal)));
}

async function reach(variable: string, value: string | undefined, signal: AbortSignal): Promise<void> {
  // What is no URL is reported by the configuration of api and worker.
  if (value === undefined || !URL.canParse(value)) return;
  const { protocol, hostname, port } = new URL(value);
  const target = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (defaultPorts[protocol] ?? 0) : Number(port) };
  // A database may be named by a socket in the file system instead.
  if (target.host === '') return;
  const problem = await tryConnect(target, signal);
  if (problem === undefined) return;
  throw new ServerUnreachable(`${variable} names ${target.host}:${target.port}, and that cannot be reached: ${problem}`, {
    code: 'server-unreachable',
    operation: 'reach server',
    retryable: true,
  });
}

function tryConnect(target: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, signal });
    const end = (problem?: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(timeoutMs, () => end(`no answer within ${timeoutMs / 1000} s`));
    socket.once('connect', () => end());
    socket.once('error', (error) => end(error.message === '' ? 'connection refused' : error.message));
  });
}
