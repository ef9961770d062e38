import { WaybillError } from '@waybill/kernel';
import { PromotionError } from '../promotion-error.js';
import type { ContentCopier, ContentOutcome, CopiedBytes, CopyOutcome, RunJournal, TagResult, TargetEnding } from './ports.js';
import { type RetryPolicy, retryDelay } from './retry-policy.js';
import type { ItemRun, TagRun, TargetRun } from './run.js';
import { conflictError, writeTag } from './write-tag.js';

export interface RunPorts {
  readonly copier: ContentCopier;
  readonly journal: RunJournal;
  readonly retry: RetryPolicy;
}

const noBytes: CopiedBytes = { bytesCopied: 0, bytesMounted: 0, bytesSkipped: 0 };

/**
 * Brings one item to its targets at one location: copy → verify → attest → tag → settle.
 *
 * One target's trouble never stops the others (DESIGN invariant 8): it ends in that
 * target's own outcome. Rejects only when the run itself is over: PromotionError
 * `lease-lost`, or the signal's reason.
 */
export async function runItem(item: ItemRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  await ports.journal.beginAttempt(item.targets);
  // Whoever died while tagging, or waited for its prod, had verified everything beneath the root.
  const resumed = item.targets.filter((target) => target.state === 'tagging');
  const copying = item.targets.filter((target) => target.state !== 'tagging');
  if (copying.length > 0) await noteSourceMove(item, ports, signal);

  const copied = copying.length > 0 ? await copyContent(item, copying, ports, signal) : new Map<string, CopyOutcome>();
  const prepared = await allEnded(copying.map((target) => prepare(item, target, copied.get(target.id), ports, signal)));
  const ready = [
    ...prepared.filter((target) => target !== undefined),
    ...resumed.map((target) => ({ target, content: target.content ?? 'copied' })),
  ];
  // A replica at the location of its prod finds it tagged already.
  for (const requirement of ['required', 'best-effort'] as const) {
    const turn = ready.filter(({ target }) => target.requirement === requirement);
    await allEnded(turn.map(({ target, content }) => tagAndFinish(item, target, content, ports, signal)));
  }
}

/** Like Promise.all, but leaves nothing running behind when one rejects. */
async function allEnded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** A target that holds the item's content and wants its tags. */
interface PreparedTarget {
  readonly target: TargetRun;
  readonly content: ContentOutcome;
}

async function copyContent(item: ItemRun, targets: readonly TargetRun[], ports: RunPorts, signal: AbortSignal) {
  const byId = new Map(targets.map((target) => [target.id, target]));
  try {
    return await ports.copier.copy(item, targets, {
      beforeManifest: async (id, manifest) => {
        const target = byId.get(id);
        if (target !== undefined) await ports.journal.intendManifest(target, manifest);
      },
      signal,
    });
  } catch (error) {
    const failure = typed(error, 'copy');
    return new Map(targets.map((target): [string, CopyOutcome] => [target.id, { ...noBytes, outcome: 'failed', error: failure }]));
  }
}

/** Copy is done; verify and attest. Undefined when the target is not to be tagged. */
async function prepare(
  item: ItemRun,
  target: TargetRun,
  copy: CopyOutcome | undefined,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<PreparedTarget | undefined> {
  if (copy === undefined) throw new Error(`the copier gave no outcome for target ${target.id}`);
  if (!('presentBlobs' in copy)) {
    await settleFailure(target, copy.error, copy, ports, signal);
    return undefined;
  }
  try {
    await ports.journal.recordCopy(target, copy.outcome, pick(copy));
    const content = await ports.copier.verify(item, target, copy.presentBlobs, signal);
    await ports.journal.settleContent(target, content);
    await ports.journal.advance(target, 'tagging');
    return { target, content: copy.outcome };
  } catch (error) {
    await settleFailure(target, error, noBytes, ports, signal);
    return undefined;
  }
}

async function tagAndFinish(
  item: ItemRun,
  target: TargetRun,
  content: ContentOutcome,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<void> {
  try {
    const readiness = await ports.journal.readinessToTag(target);
    if (!readiness.ready) {
      if (readiness.wait) return;
      const error = new PromotionError(readiness.reason, { code: 'prod-not-tagged', operation: 'write tag' });
      await ports.journal.finish(target, { ...noBytes, outcome: readiness.outcome, error });
      return;
    }
    const results: { tag: TagRun; result: TagResult }[] = [];
    for (const tag of target.tags) results.push({ tag, result: await writeTag(item, target, tag, ports, signal) });
    await ports.journal.finish(target, { ...noBytes, ...endingOf(target, content, results) });
  } catch (error) {
    await settleFailure(target, error, noBytes, ports, signal);
  }
}

function endingOf(
  target: TargetRun,
  content: ContentOutcome,
  results: readonly { tag: TagRun; result: TagResult }[],
): Pick<TargetEnding, 'outcome' | 'error'> {
  for (const { tag, result } of results) {
    if (result.outcome === 'conflict') return { outcome: 'conflict', error: conflictError(target, tag, result) };
  }
  if (results.some(({ result }) => result.outcome === 'superseded')) return { outcome: 'superseded' };
  // Nothing but a tag was written: that is more than already present, and moved no bytes.
  const tagWritten = results.some(({ result }) => result.outcome === 'written');
  return { outcome: content === 'already-present' && tagWritten ? 'mounted' : content };
}

async function noteSourceMove(item: ItemRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  if (item.source.tag === undefined) return;
  let found;
  try {
    found = await ports.copier.resolveSourceTag(item, item.source.tag, signal);
  } catch (error) {
    // The pinned digest is what counts; a source that is down shows itself in the copy.
    if (error instanceof WaybillError) return;
    throw error;
  }
  if (found !== item.digest) await ports.journal.recordSourceMove(item, found);
}

async function settleFailure(target: TargetRun, error: unknown, bytes: CopiedBytes, ports: RunPorts, signal: AbortSignal): Promise<void> {
  if (error instanceof PromotionError && error.code === 'lease-lost') throw error;
  signal.throwIfAborted();
  const failure = typed(error, 'promote');
  const delay = failure.retryable ? retryDelay(ports.retry, target.attempts + 1, failure.retryAfterMs) : undefined;
  if (delay === undefined) await ports.journal.finish(target, { ...pick(bytes), outcome: 'failed', error: failure });
  else await ports.journal.retryLater(target, failure, delay, pick(bytes));
}

/** What is not ours is a defect or the machine's trouble: it is shown, and not tried again for ever. */
function typed(error: unknown, operation: string): WaybillError {
  if (error instanceof WaybillError) return error;
  return new PromotionError('unexpected error: see the cause', { code: 'unexpected', operation, retryable: true, cause: error });
}

function pick(bytes: CopiedBytes): CopiedBytes {
  return { bytesCopied: bytes.bytesCopied, bytesMounted: bytes.bytesMounted, bytesSkipped: bytes.bytesSkipped };
}
