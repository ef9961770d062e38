import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { ContentError, type ContentErrorCode } from '@waybill/oci-model';
import { z } from 'zod';
import type { RegistryCredentials } from './credentials.js';

export interface HelperCall {
  /** The program is `docker-credential-<helper>`. */
  readonly helper: string;
  /** What the helper keeps the credentials under: host and port, or Docker's own name for Docker Hub. */
  readonly server: string;
  /** Default 30 s: some ask their cloud over the network. */
  readonly timeoutMs?: number;
  /** What the program gets as environment; this process's own by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const defaultTimeoutMs = 30_000;
const maxOutputBytes = 64 * 1024;
const allowedName = /^[A-Za-z0-9_.-]{1,64}$/;
/** What helpers of Docker print, with an error status, for a server that they do not know. */
const notFound = /credentials not found/i;

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/**
 * Asks a credential helper by Docker's protocol: `get`, the server's name on standard input, JSON on standard
 * output. Undefined where it knows no credentials. No shell is involved, and nothing that it prints is quoted.
 * @throws ContentError `unauthorized`, retryable when it did not end in time; `aborted`
 */
export async function askCredentialHelper(call: HelperCall, signal?: AbortSignal): Promise<RegistryCredentials | undefined> {
  const { helper } = call;
  if (!allowedName.test(helper)) throw failure(`${JSON.stringify(helper.slice(0, 64))} is no name of a credential helper`);
  const { status, output } = await run(call, signal);
  if (status !== 0 && notFound.test(output)) return undefined;
  if (status !== 0) {
    throw failure(`credential helper ${helper} failed for ${call.server}: run "docker-credential-${helper} get" by hand to see why`);
  }
  return credentialsIn(output, call);
}

function credentialsIn(output: string, { helper, server }: HelperCall): RegistryCredentials | undefined {
  let answer: z.infer<typeof HelperAnswer>;
  try {
    answer = HelperAnswer.parse(JSON.parse(output));
  } catch {
    throw failure(`credential helper ${helper} gave no credentials of the known form for ${server}`);
  }
  if (answer.Secret === '') return undefined;
  if (answer.Username === '<token>') return { kind: 'identity-token', token: answer.Secret };
  return { kind: 'basic', username: answer.Username, password: answer.Secret };
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

async function run(call: HelperCall, signal: AbortSignal | undefined): Promise<Ended> {
  const { helper, server, environment, timeoutMs = defaultTimeoutMs } = call;
  const aborted = (): ContentError => failure('reading credentials was aborted', { code: 'aborted', cause: signal?.reason });
  if (signal?.aborted === true) throw aborted();

  return await new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, ['get'], {
      stdio: 'pipe',
      detached: true, // a process group of its own, so that it ends with whatever it started
      ...(environment === undefined ? {} : { env: environment }),
    });
    const settle = (result: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      result();
    };
    const fail = (error: ContentError): void => {
      settle(() => reject(error));
      end(child);
    };
    const abort = (): void => fail(aborted());
    const timer = setTimeout(() => fail(failure(`credential helper ${helper} did not end in time`, { retryable: true })), timeoutMs);
    signal?.addEventListener('abort', abort);

    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > maxOutputBytes) fail(failure(`credential helper ${helper} gives more than credentials can be`));
    });
    child.stderr.resume();
    child.once('error', (cause) => fail(failure(`docker-credential-${helper} cannot be run: is it installed on the PATH?`, { cause })));
    child.once('close', (status) => settle(() => resolve({ status, output: Buffer.concat(chunks).toString('utf8') })));
    child.stdin.on('error', () => undefined); // it may end without having read
    child.stdin.end(`${server}\n`);
  });
}

/** Ends the whole group, also when its first process has gone and what that started still holds its output. */
function end(child: ChildProcessWithoutNullStreams): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody is left of it.
  }
}

function failure(
  message: string,
  facts: { readonly code?: ContentErrorCode; readonly retryable?: boolean; readonly cause?: unknown } = {},
): ContentError {
  return new ContentError(message, { code: 'unauthorized', operation: 'read credentials', ...facts });
}
