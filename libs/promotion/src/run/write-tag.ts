import { setTimeout as wait } from 'node:timers/promises';
import type { Digest } from '@waybill/oci-model';
import { PromotionError } from '../promotion-error.js';
import type { ContentCopier, RunJournal, TagResult, TagTurn } from './ports.js';
import type { ItemRun, TagRun, TargetRun } from './run.js';

/** The write must have ended this long before the lease does, in milliseconds. */
const leaseMarginMs = 2_000;

/**
 * Writes one tag at one target, in its turn: reads, decides, records, writes, reads back.
 *
 * Registries check no precondition, so a foreign writer cannot be kept out here;
 * it is seen by the reads before and after, and reported (DESIGN "tag").
 */
export async function writeTag(
  item: ItemRun,
  target: TargetRun,
  tag: TagRun,
  ports: { readonly copier: ContentCopier; readonly journal: RunJournal },
  signal: AbortSignal,
): Promise<TagResult> {
  const turn = await awaitTurn(target, tag, ports.journal, signal);
  const result = turn.turn === 'ours' ? await writeInTurn(item, target, tag, ports, turn, signal) : ({ outcome: 'superseded' } as const);
  await ports.journal.settleTag(target, tag.tag, item.digest, result);
  return result;
}

type OurTurn = Extract<TagTurn, { turn: 'ours' }>;

async function awaitTurn(
  target: TargetRun,
  tag: TagRun,
  journal: RunJournal,
  signal: AbortSignal,
): Promise<Exclude<TagTurn, { turn: 'held' }>> {
  for (;;) {
    const turn = await journal.acquireTag(target, tag.tag);
    if (turn.turn !== 'held') return turn;
    await wait(turn.retryAfterMs, undefined, { signal });
  }
}

async function writeInTurn(
  item: ItemRun,
  target: TargetRun,
  tag: TagRun,
  ports: { readonly copier: ContentCopier; readonly journal: RunJournal },
  turn: OurTurn,
  signal: AbortSignal,
): Promise<TagResult> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.max(turn.leaseMs - leaseMarginMs, 1))]);
  const seen = await ports.copier.resolveTargetTag(target, tag.tag, deadline);
  if (seen === item.digest) return { outcome: turn.intendedBefore ? 'written' : 'already-present' };
  if (tag.expected.kind === 'unknown') await ports.journal.adoptExpected(target, tag.tag, seen);
  if (!mayReplace(tag, seen, turn.lastWritten)) return { outcome: 'conflict', found: seen, afterWrite: false };

  await ports.journal.intendTag(target, tag.tag, item.digest, seen);
  const failure = await ports.copier.putTargetTag(item, target, tag.tag, deadline).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const found = await readBack(target, tag, ports.copier, deadline, failure);
  if (found === item.digest) return { outcome: 'written' };
  if (failure !== undefined && found === seen) throw failure.error;
  return { outcome: 'conflict', found, afterWrite: true };
}

/** A write whose answer was lost may still have happened: only the read-back tells. */
async function readBack(
  target: TargetRun,
  tag: TagRun,
  copier: ContentCopier,
  signal: AbortSignal,
  failure: { readonly error: unknown } | undefined,
): Promise<Digest | undefined> {
  try {
    return await copier.resolveTargetTag(target, tag.tag, signal);
  } catch (cause) {
    throw failure?.error ?? cause;
  }
}

function mayReplace(tag: TagRun, seen: Digest | undefined, lastWritten: Digest | undefined): boolean {
  if (seen === undefined) return tag.expected.kind !== 'digest';
  if (tag.immutable) return false;
  if (tag.expected.kind === 'unknown' || seen === lastWritten) return true;
  return tag.expected.kind === 'digest' && tag.expected.digest === seen;
}

/** For the journal's reader: what a conflict means, in words. */
export function conflictError(target: TargetRun, tag: TagRun, result: Extract<TagResult, { outcome: 'conflict' }>): PromotionError {
  const holds = result.found === undefined ? 'nothing' : result.found;
  const message = result.afterWrite
    ? `another writer moved ${target.registry}/${target.repository}:${tag.tag} right after we wrote it: it now holds ${holds}`
    : tag.immutable && result.found !== undefined
      ? `${target.registry}/${target.repository}:${tag.tag} is immutable and already holds ${holds}`
      : `another writer moved ${target.registry}/${target.repository}:${tag.tag} since the promotion was requested: it now holds ${holds}`;
  return new PromotionError(message, {
    code: tag.immutable ? 'tag-immutable' : 'tag-moved',
    operation: 'write tag',
    details: { tag: tag.tag, found: result.found ?? null, expected: tag.expected },
  });
}
