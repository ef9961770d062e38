import type { WaybillError } from '@waybill/kernel';
import { ContentCopy, type EndOnLoss } from './copy-content.js';
import { isLeaseLost, PromotionError } from '../promotion-error.js';
import type { ContentOutcome, CopyOutcome, TagResult, TargetEnding } from './ports.js';
import { readBackEffects } from './read-back-effects.js';
import { refusalOf } from './refusal.js';
import { contextOf, type RunContext, type RunPorts } from './run-context.js';
import type { ItemRun, TagRun, TargetRun } from './run.js';
import { StepTimer } from './run-watch.js';
import { bytesOf, endFailed, noBytes, settleFailure } from './settle-failure.js';
import { conflictError, writeTag } from './write-tag.js';

/** An item on its way. */
export interface BegunItem {
  /** Resolves when its content has come to one of its targets, or the item has ended without; never rejects. */
  readonly hasContent: Promise<unknown>;
  /** Resolves when it has ended at all targets; rejects as `runItem` does. */
  readonly ended: Promise<void>;
}

/**
 * Brings one item to its targets at one location: copy → verify → attest → tag → settle.
 *
 * No target waits for another, and one target's trouble never stops the others (DESIGN invariant 8): it ends
 * in that target's own outcome. Rejects only when the run itself is over, after everything it
 * began has ended: PromotionError `lease-lost`, the signal's reason, or what the journal
 * rejects with when it can record nothing. Whatever was under way is then left as it
 * stands in the journal, for the worker that takes over.
 */
export function runItem(item: ItemRun, ports: RunPorts, signal: AbortSignal): Promise<void> {
  return beginItem(item, ports, signal).ended;
}

/** Like `runItem`, for whoever goes on before the item has ended everywhere. */
export function beginItem(item: ItemRun, ports: RunPorts, signal: AbortSignal): BegunItem {
  let contentCame = (): void => undefined;
  const came = new Promise<void>((resolve) => {
    contentCame = resolve;
  });
  const ended = bringToTargets(contextOf(item, ports, signal), contentCame);
  return { hasContent: Promise.race([came, ended.catch(() => undefined)]), ended };
}

async function bringToTargets({ item, ports, signal, leaseSignal }: RunContext, contentCame: () => void): Promise<void> {
  signal.throwIfAborted();
  const loss = new AbortController();
  const endOnLoss = (error: unknown): never => {
    if (isLeaseLost(error)) loss.abort(error);
    throw error;
  };
  const { admitted, refused } = byAdmission(item, ports);
  const run = contextOf({ ...item, targets: admitted }, ports, AbortSignal.any([leaseSignal, loss.signal]));
  const refusals = refused.map(({ target, refusal }) => endFailed(run, target, refusal));
  const attempt = admitted.length === 0 ? undefined : beginAttempt(run, { contentCame, endOnLoss });
  await allEnded([...refusals, ...(attempt === undefined ? [] : [attempt])].map((work) => work.catch(endOnLoss)));
}

interface Admission {
  readonly admitted: readonly TargetRun[];
  /** Targets at which no attempt may begin. */
  readonly refused: readonly { readonly target: TargetRun; readonly refusal: WaybillError }[];
}

function byAdmission(item: ItemRun, { retry }: RunPorts): Admission {
  const admitted: TargetRun[] = [];
  const refused: { target: TargetRun; refusal: WaybillError }[] = [];
  for (const target of item.targets) {
    const refusal = refusalOf(item, target, retry);
    if (refusal === undefined) admitted.push(target);
    else refused.push({ target, refusal });
  }
  return { admitted, refused };
}

interface AttemptHooks {
  readonly contentCame: () => void;
  readonly endOnLoss: EndOnLoss;
}

async function beginAttempt(admitted: RunContext, { contentCame, endOnLoss }: AttemptHooks): Promise<void> {
  const held = await admitted.ports.journal.beginAttempt(admitted.item.targets);
  const targets = admitted.item.targets.filter(({ id }) => !held.has(id));
  if (targets.length === 0) return;
  const run = { ...admitted, item: { ...admitted.item, targets } };
  // Whoever died while tagging, or waited for its prod, had verified everything beneath the root.
  const copying = run.item.targets.filter((target) => target.state !== 'tagging');
  const copy = new ContentCopy(run, copying, endOnLoss);
  void copy.hasContent.then(contentCame);
  const work = [...strandsOf(run, copy), copy.ended, ...(copying.length > 0 ? [noteSourceMove(run)] : [])];
  await allEnded(work.map((each) => each.catch(endOnLoss)));
}

/** Like Promise.all, but leaves nothing running behind when one rejects. */
async function allEnded(work: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** One strand for each target. */
function strandsOf(run: RunContext, copy: ContentCopy): Promise<void>[] {
  const { targets } = run.item;
  const bring = async (target: TargetRun, prod?: Promise<void>): Promise<void> => {
    const timer = new StepTimer(run, target);
    const content =
      target.state === 'tagging' ? (target.content ?? 'copied') : await prepare({ run, target, timer }, await copy.outcomeAt(target));
    if (content === undefined) return;
    // A replica at the location of its prod finds it tagged already, and need not be called again.
    if (prod !== undefined) await Promise.allSettled([prod]);
    await tagAndFinish({ run, target, timer }, content);
  };
  const prods = new Map<string, Promise<void>>();
  for (const target of targets) if (target.follows === undefined) prods.set(target.id, bring(target));
  const replicas = targets.flatMap((target) => (target.follows === undefined ? [] : [bring(target, prods.get(target.follows))]));
  return [...prods.values(), ...replicas];
}

/** One target on its way. */
interface Strand {
  readonly run: RunContext;
  readonly target: TargetRun;
  readonly timer: StepTimer;
}

/** Copy is done; verify and attest. Undefined when the target is not to be tagged. */
async function prepare({ run, target, timer }: Strand, copy: CopyOutcome): Promise<ContentOutcome | undefined> {
  const { item, ports, signal } = run;
  if ('error' in copy) {
    await settleFailure(run, target, copy.error, copy);
    return undefined;
  }
  try {
    const outcome = moreOf(copy.outcome, target.content);
    await ports.journal.recordCopy(target, outcome, bytesOf(copy));
    ports.watch?.contentCame(item, target, bytesOf(copy));
    timer.ended('copy');
    const content = await ports.copier.verify(item, target, copy.presentBlobs, signal);
    timer.ended('verify');
    await ports.journal.settleContent(target, content);
    await ports.journal.advance(target, 'tagging');
    timer.ended('attest');
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

async function tagAndFinish({ run, target, timer }: Strand, content: ContentOutcome): Promise<void> {
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
    timer.ended('tag');
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
