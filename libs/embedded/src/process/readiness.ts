import type { Readable } from 'node:stream';
import { waitFor } from './wait.js';

/** More of one line is not looked at. */
const maxLineLength = 8 * 1024;

/** How a child shows that it is ready. */
export type ReadyWhen =
  /** It prints a line on stdout for which the function says true. */
  | { readonly line: (line: string) => boolean }
  /** It answers HTTP, and the function says true of the answer: on a lost port race a stranger may answer. */
  | { readonly answersAt: string; readonly accept: (response: Response) => boolean };

export interface ReadinessOptions {
  readonly readyWhen: ReadyWhen;
  readonly stdout: Readable;
  readonly timeoutMs: number;
  /** Aborted when waiting makes no sense any more. */
  readonly signal: AbortSignal;
}

/** Waits; gives the line that showed it (empty for HTTP), or `undefined` when the time is over. */
export async function awaitReadiness({ readyWhen, stdout, timeoutMs, signal }: ReadinessOptions): Promise<string | undefined> {
  if ('line' in readyWhen) {
    const seen = firstLine(stdout, readyWhen.line);
    return waitFor(() => seen.line, { timeoutMs, signal });
  }
  return waitFor(async () => ((await accepts(readyWhen, signal)) ? '' : undefined), { timeoutMs, signal });
}

function firstLine(stdout: Readable, isReady: (line: string) => boolean): { readonly line?: string | undefined } {
  const seen: { line?: string | undefined } = {};
  let rest = '';
  const look = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLineLength);
    seen.line = lines.find(isReady);
    if (seen.line !== undefined) stdout.off('data', look);
  };
  stdout.on('data', look);
  return seen;
}

async function accepts({ answersAt, accept }: Extract<ReadyWhen, { answersAt: string }>, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(answersAt, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]), redirect: 'manual' });
    await response.body?.cancel();
    return accept(response);
  } catch {
    return false;
  }
}
