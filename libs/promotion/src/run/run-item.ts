import type { WaybillError } from '@waybill/kernel';
import type { Manifest } from '@waybill/oci-model';
import { isLeaseLost, PromotionError } from '../promotion-error.js';
import type { ContentOutcome, CopyOutcome, TagResult, TargetEnding } from './ports.js';
import { readBackEffects } from './read-back-effects.js';
import { refusalOf } from './refusal.js';
import type { RunContext, RunPorts } from './run-context.js';
import type { ItemRun, TagRun, TargetRun } from './run.js';
import { bytesOf, defect, endFailed, noBytes, settleFailure, typed } from './settle-failure.js';
import { conflictError, writeTag } from './write-tag.js';

/**
 * Brings one item to its targets at one location: copy → verify → attest → tag → settle.
 *
 * One target's trouble never stops the others (DESIGN invariant 8): it ends in that
 * target's own outcome. Rejects only when the run itself is over, after everything it
 * began has ended: PromotionError `lease-lost`, the signal's reason, or what the journal
 * rejects with when it can record nothing. Whatever was under way is then left as it
 * stands in the journal, for the worker that takes over.
 */
export async function runItem(item: ItemRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const targets = await admitted({ item, ports, signal });
  if (targets.length === 0) return;
  await ports.journal.beginAttempt(targets);
  const loss = new AbortController();
  const endOnLoss = (error: unknown): never => {
    if (isLeaseLost(error)) loss.abort(error);
    throw error;
  };
  const run: RunContext = { item: { ...item, targets }, ports, signal: AbortSignal.any([signal, loss.signal]) };
  await allEnded(workOf(run, endOnLoss).map((work) => work.catch(endOnLoss)));
}

/** Ends the targets at which no attempt may begin; gives the others. */
async function admitted(run: RunContext): Promise<TargetRun[]> {
  const targets: TargetRun[] = [];
  for (const target of run.item.targets) {
    const refusal = refusalOf(run.item, target, run.ports.retry);
    if (refusal === undefined) targets.push(target);
    else await endFailed(run, target, refusal);
  }
  return targets;
}

/** Stops everything that runs beside when the error says that the lease is lost; always throws the error. */
type EndOnLoss = (error: unknown) => never;

/** Like Promise.all, but leaves nothing running behind when one rejects. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** One strand for each target, and one that looks after the source's tag. */
function workOf(run: RunContext, endOnLoss: EndOnLoss): Promise<void>[] {
  const { targets } = run.item;
  // Whoever died while tagging, or waited for its prod, had verified everything beneath the root.
  const copying = targets.filter((target) => target.state !== 'tagging');
  const copies = copyContent(run, copying, endOnLoss);
  const bring = async (target: TargetRun, prod?: Promise<void>): Promise<void> => {
    const content = target.state === 'tagging' ? (target.content ?? 'copied') : await prepare(run, target, await copies);
    if (content === undefined) return;
    // A replica at the location of its prod finds it tagged already, and need not be called again.
    if (prod !== undefined) await Promise.allSettled([prod]);
    await tagAndFinish(run, target, content);
  };
  const prods = new Map<string, Promise<void>>();
  for (const target of targets) if (target.follows === undefined) prods.set(target.id, bring(target));
  const replicas = targets.flatMap((target) => (target.follows === undefined ? [] : [bring(target, prods.get(target.follows))]));
  return [...prods.values(), ...replicas, ...(copying.length > 0 ? [noteSourceMove(run)] : [])];
}

/** What the copy did at each target; a failure of the whole copy is every target's failure. Never rejects. */
async function copyContent(
  run: RunContext,
  targets: readonly TargetRun[],
  endOnLoss: EndOnLoss,
): Promise<ReadonlyMap<string, CopyOutcome>> {
  if (targets.length === 0) return new Map();
  const { item, ports, signal } = run;
  const byId = new Map(targets.map((target) => [target.id, target]));
  // The copier wraps what its hook rejects with; the journal's own words decide what becomes of the target.
  const refusals = new Map<string, WaybillError>();
  const beforeManifest = async (id: string, manifest: Manifest): Promise<void> => {
    const target = byId.get(id);
    if (target === undefined) throw defect(`the copier writes to ${id}, which is no target of this run`, 'copy');
    await ports.journal
      .intendManifest(target, manifest)
      .catch((error: unknown) => {
        refusals.set(id, typed(error, 'record manifest'));
        throw error;
      })
      .catch(endOnLoss);
  };
  const failed = (id: string, error: WaybillError, bytes = noBytes): [string, CopyOutcome] => [id, { ...bytes, outcome: 'failed', error }];
  try {
    const outcomes = await ports.copier.copy(item, targets, { beforeManifest, signal });
    return new Map([...outcomes, ...[...refusals].map(([id, error]) => failed(id, error, outcomes.get(id)))]);
  } catch (error) {
    const failure = typed(error, 'copy');
    return new Map(targets.map(({ id }) => failed(id, refusals.get(id) ?? failure)));
  }
}

/** Copy is done; verify and attest. Undefined when the target is not to be tagged. */
async function prepare(run: RunContext, target: TargetRun, copies: ReadonlyMap<string, CopyOutcome>): Promise<ContentOutcome | undefined> {
  const { item, ports, signal } = run;
  const copy = copies.get(target.id) ?? { ...noBytes, outcome: 'failed', error: defect('the copier gave no outcome', 'copy') };
  if ('error' in copy) {
    await settleFailure(run, target, copy.error, copy);
    return undefined;
  }
  try {
    const outcome = moreOf(copy.outcome, target.content);
    await ports.journal.recordCopy(target, outcome, bytesOf(copy));
    const content = await ports.copier.verify(item, target, copy.presentBlobs, signal);
    await ports.journal.settleContent(target, content);
    await ports.journal.advance(target, 'tagging');
    return outcome;
  } catch (error) {
    await settleFailure(run, target, error, noBytes);
    return undefined;
  }
}

const fromLeastToMost: readonly ContentOutcome[] = ['already-present', 'mounted', 'copied'];

/** What an earlier attempt copied is present in this one, and was copied all the same. */
function moreOf(now: ContentOutcome, before: ContentOutcome = 'already-present'): ContentOutcome {
  return fromLeastToMost.indexOf(before) > fromLeastToMost.indexOf(now) ? before : now;
}

async function tagAndFinish(run: RunContext, target: TargetRun, content: ContentOutcome): Promise<void> {
  const { journal } = run.ports;
  try {
    const readiness = await journal.readinessToTag(target);
    if (!readiness.ready) {
      if (readiness.wait) return;
      const error = new PromotionError(readiness.reason, { code: 'prod-not-tagged', operation: 'write tag' });
      await journal.finish(target, { ...noBytes, outcome: readiness.outcome, error });
      return;
    }
    const written: WrittenTag[] = [];
    for (const tag of target.tags) written.push({ tag, result: await writeTag(run, target, tag) });
    // A newer release took the turn of an attempt that was cut off: only the target tells what became of that.
    const wasOvertaken = written.some(({ result }) => result.outcome === 'superseded');
    const seen = wasOvertaken ? { readBack: await readBackEffects(run, target) } : {};
    await journal.finish(target, { ...noBytes, ...endingOf(target, content, written), ...seen });
  } catch (error) {
    await settleFailure(run, target, error, noBytes);
  }
}

interface WrittenTag {
  readonly tag: TagRun;
  readonly result: TagResult;
}

function endingOf(target: TargetRun, content: ContentOutcome, written: readonly WrittenTag[]): Pick<TargetEnding, 'outcome' | 'error'> {
  for (const { tag, result } of written) {
    if (result.outcome === 'conflict') return { outcome: 'conflict', error: conflictError(target, tag, result) };
  }
  // A release whose own tag stands has arrived, even where a newer one has overtaken its `latest`.
  if (written.length > 0 && written.every(({ result }) => result.outcome === 'superseded')) return { outcome: 'superseded' };
  // Nothing but a tag was written: that is more than already present, and moved no bytes.
  const tagWritten = written.some(({ result }) => result.outcome === 'written');
  return { outcome: content === 'already-present' && tagWritten ? 'mounted' : content };
}

async function noteSourceMove({ item, ports, signal }: RunContext): Promise<void> {
  if (item.source.tag === undefined) return;
  // The pinned digest is what counts; a source that is down shows itself in the copy.
  const found = await ports.copier.resolveSourceTag(item, item.source.tag, signal).catch(() => 'unknown' as const);
  if (found !== 'unknown' && found !== item.digest) await ports.journal.recordSourceMove(item, found);
}
