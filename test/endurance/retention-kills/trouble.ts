import { setTimeout as delay } from 'node:timers/promises';
import type { ProxiedRequest } from '../../e2e/fault-proxy.js';
import type { SourceProcess } from '../source-process.js';
import { patienceMs, type Stage } from './stage.js';

/** Which request at CI. */
export type Matches = (request: ProxiedRequest) => boolean;

/** Does `work` while the first request that matches waits before CI, or once `orElse` has resolved; then it goes on. */
export async function whileHeld(
  { ciProxy }: Stage,
  { matches, orElse }: { readonly matches: Matches; readonly orElse?: Promise<unknown> },
  work: () => Promise<unknown>,
): Promise<void> {
  const end = new AbortController();
  const until = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
  const isHeld = ciProxy.once(matches, { kind: 'hold', until });
  try {
    await inTime(orElse === undefined ? isHeld : Promise.race([isHeld, orElse]), end.signal);
    await work();
  } finally {
    end.abort();
  }
}

/** The first request that matches waits for so many milliseconds. */
export function holdFor(stage: Stage, matches: Matches, ms: number): Promise<void> {
  return whileHeld(stage, { matches }, () => delay(ms));
}

/** The worker is told to end while the first request that matches waits; it may have been killed before. */
export function drain(stage: Stage, worker: SourceProcess, matches: Matches): Promise<void> {
  return whileHeld(stage, { matches, orElse: worker.ended }, () => {
    worker.signal('SIGTERM');
    return worker.ended;
  });
}

/** So many requests are refused, as by a registry that has too much to do. */
export function refuse({ ciProxy }: Stage, matches: Matches, times: number): void {
  for (let time = 0; time < times; time += 1) void ciProxy.once(matches, { kind: 'refuse', status: 503 });
}

async function inTime(event: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const isLate = delay(patienceMs, true, { signal }).catch(() => false);
  if (await Promise.race([event.then(() => false), isLate])) throw new Error(`nobody asked within ${patienceMs} ms`);
}
