import { setTimeout as wait } from 'node:timers/promises';
import type { Digest } from '@waybill/oci-model';
import { cancelled, isLeaseLost, paused, PromotionError } from '../promotion-error.js';
import type { RunJournal, TagResult, TagTurn } from './ports.js';
import type { RunContext } from './run-context.js';
import type { TagRun, TargetRun } from './run.js';

/** The write must have ended this long before the lease does, in milliseconds, but has half of a short lease. */
const leaseMarginMs = 2_000;

/**
 * Writes one tag at one target, in its turn: reads, decides, records, writes, reads back.
 *
 * Registries check no precondition, so a foreign writer cannot be kept out here;
 * it is seen by the reads before and after, and reported (DESIGN "tag").
 * When it fails after it has sent, the tag's lease is left to run out, because a write
 * whose answer was lost may still land; before that the lease is given up at once.
 * A cancellation that comes before the intent is recorded ends it; afterwards the tag is written to its end.
 * @throws PromotionError `tag-unconfirmed` (retryable) when the write was not seen in time, `lease-lost`, `paused`, `cancelled`
 * @throws what the ports reject with
 */
export async function writeTag(run: RunContext, target: TargetRun, tag: TagRun): Promise<TagResult> {
  const { journal } = run.ports;
  const turn = await awaitTurn(journal, target, tag, run.signal);
  const result: TagResult = turn.turn === 'ours' ? await writeBeforeLeaseEnds(run, { target, tag, turn }) : { outcome: 'superseded' };
  await journal.settleTag(target, tag.tag, run.item.digest, result);
  return result;
}

type OurTurn = Extract<TagTurn, { turn: 'ours' }>;

interface TagWrite {
  readonly target: TargetRun;
  readonly tag: TagRun;
  readonly turn: OurTurn;
}

async function awaitTurn(
  journal: RunJournal,
  target: TargetRun,
  tag: TagRun,
  signal: AbortSignal,
): Promise<Extract<TagTurn, { turn: 'ours' | 'superseded' }>> {
  for (;;) {
    signal.throwIfAborted();
    const turn = await journal.acquireTag(target, tag.tag);
    switch (turn.turn) {
      case 'ours':
      case 'superseded':
        return turn;
      case 'paused':
        throw paused();
      case 'cancelled':
        throw cancelled();
      case 'held':
        await wait(turn.retryAfterMs, undefined, { signal });
    }
  }
}

/** A request that the deadline cut off is no fault of the registry's: the next attempt sees what became of it. */
async function writeBeforeLeaseEnds(run: RunContext, write: TagWrite): Promise<TagResult> {
  const { leaseMs } = write.turn;
  const deadline = AbortSignal.timeout(Math.floor(Math.max(leaseMs - leaseMarginMs, leaseMs / 2)));
  const until = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, deadline]);
  try {
    return await writeInTurn({ ...run, signal: until(run.signal), leaseSignal: until(run.leaseSignal) }, write);
  } catch (cause) {
    if (isLeaseLost(cause) || run.signal.aborted || !deadline.aborted) throw cause;
    throw unconfirmed(`${nameOf(write.target, write.tag)} was not written and read back before the lease on it ended`, cause);
  }
}

/** Under a signal that ends before the lease does. */
async function writeInTurn(run: RunContext, write: TagWrite): Promise<TagResult> {
  const decided = await decide(run, write).catch(async (error: unknown) => {
    // Whoever comes next need not wait; should this fail too, the lease runs out.
    await run.ports.journal.releaseTag(write.target, write.tag.tag).catch(() => undefined);
    throw error;
  });
  if (!('outcome' in decided)) return send(run, write, decided.seen);
  // What is overtaken settles nothing, so it gives the lease up by itself.
  if (decided.outcome === 'superseded') await run.ports.journal.releaseTag(write.target, write.tag.tag);
  return decided;
}

/** Looks at the tag and records what is to be sent; gives what it held, or the result when nothing is to be sent. */
async function decide(run: RunContext, { target, tag, turn }: TagWrite): Promise<TagResult | { readonly seen: Digest | undefined }> {
  const { copier, journal } = run.ports;
  const { digest } = run.item;
  const seen = await copier.resolveTargetTag(target, tag.tag, run.signal);
  if (seen === digest) return { outcome: turn.intendedBefore ? 'written' : 'already-present' };
  // Its worker died between the write and the record of it: the order holds all the same.
  if (turn.begun.some((write) => write.isNewer && write.digest === seen)) return { outcome: 'superseded' };
  // One effect has one record: somebody else moved the tag since ours was settled, and keeps it.
  if (turn.settledBefore) return { outcome: 'conflict', found: seen, afterWrite: true };
  if (tag.expected.kind === 'unknown') await journal.adoptExpected(target, tag.tag, seen);
  if (!mayReplace(tag, seen, turn)) return { outcome: 'conflict', found: seen, afterWrite: false };

  await journal.intendTag(target, tag.tag, digest, seen);
  // The lease may have ended while the intent was recorded.
  run.leaseSignal.throwIfAborted();
  return { seen };
}

async function send(run: RunContext, { target, tag }: TagWrite, seen: Digest | undefined): Promise<TagResult> {
  const { digest } = run.item;
  const failure = await run.ports.copier.putTargetTag(run.item, target, tag.tag, run.leaseSignal).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const found = await readBack(run, target, tag, failure);
  if (found === digest) return { outcome: 'written' };
  if (found !== seen) return { outcome: 'conflict', found, afterWrite: true };
  if (failure !== undefined) throw failure.error;
  // Some registries answer reads from replicas that lag behind their writes.
  throw unconfirmed(`${nameOf(target, tag)} was written and still reads as before: it holds ${holding(found)}`);
}

/** A write whose answer was lost may still have happened: only the read-back tells. */
async function readBack(
  run: RunContext,
  target: TargetRun,
  tag: TagRun,
  failure: { readonly error: unknown } | undefined,
): Promise<Digest | undefined> {
  try {
    return await run.ports.copier.resolveTargetTag(target, tag.tag, run.leaseSignal);
  } catch (cause) {
    throw failure === undefined ? cause : failure.error;
  }
}

/** The tag holds what the intent saw, or what an earlier release of ours has written since; never what ours wrote before that. */
function mayReplace(tag: TagRun, seen: Digest | undefined, { writtenSince, begun }: OurTurn): boolean {
  if (seen === undefined) return tag.expected.kind !== 'digest';
  if (tag.immutable) return false;
  if (tag.expected.kind === 'unknown' || seen === writtenSince || begun.some(({ digest }) => digest === seen)) return true;
  return tag.expected.kind === 'digest' && tag.expected.digest === seen;
}

/** For the reader of a promotion: what a conflict means, in words. */
export function conflictError(target: TargetRun, tag: TagRun, result: Extract<TagResult, { outcome: 'conflict' }>): PromotionError {
  const immutable = tag.immutable && result.found !== undefined && !result.afterWrite;
  const name = nameOf(target, tag);
  const since = result.afterWrite ? 'while we wrote it' : 'since the promotion was requested';
  const message = immutable
    ? `${name} is immutable and already holds ${holding(result.found)}`
    : `another writer moved ${name} ${since}: it now holds ${holding(result.found)}`;
  return new PromotionError(message, {
    code: immutable ? 'tag-immutable' : 'tag-moved',
    operation: 'write tag',
    details: { tag: tag.tag, found: result.found ?? null, expected: tag.expected },
  });
}

function unconfirmed(message: string, cause?: unknown): PromotionError {
  return new PromotionError(message, { code: 'tag-unconfirmed', operation: 'write tag', retryable: true, cause });
}

function nameOf(target: TargetRun, tag: TagRun): string {
  return `${target.registry}/${target.repository}:${tag.tag}`;
}

function holding(found: Digest | undefined): string {
  return found ?? 'nothing';
}
