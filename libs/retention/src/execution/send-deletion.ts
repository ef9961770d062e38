import { ContentError, type Tag } from '@waybill/oci-model';
import type { DeletionOutcome, ExecutionRecords, SparedReason } from './ports.js';

/** One deletion as a registry is asked for it. Each rejects with ContentError. */
export interface Deletion {
  readonly send: () => Promise<unknown>;
  readonly isGone: () => Promise<boolean>;
  /** Asked once it is gone. */
  readonly tagsGone: () => Promise<readonly Tag[]>;
}

/**
 * Sends a deletion that was intended, reads back what came of it, and writes that down, whether or not the registry was content:
 * one that answered too late may have deleted all the same.
 * Rejects with the registry's refusal unless it is gone, and with whatever kept it from being read back.
 */
export async function sendDeletion(
  records: Pick<ExecutionRecords, 'settle'>,
  { effectId, deletion, signal }: { readonly effectId: string; readonly deletion: Deletion; readonly signal: AbortSignal },
): Promise<DeletionOutcome> {
  const refusal = await troubleOf(deletion.send, signal);
  const { outcome, trouble } = await readBack(deletion, refusal, signal);
  await records.settle(effectId, outcome);
  if (trouble !== undefined) throw trouble;
  return outcome;
}

interface ReadBack {
  readonly outcome: DeletionOutcome;
  readonly trouble?: ContentError;
}

async function readBack(deletion: Deletion, refusal: ContentError | undefined, signal: AbortSignal): Promise<ReadBack> {
  const found: { tagsGone?: readonly Tag[] } = {};
  const trouble = await troubleOf(async () => {
    if (await deletion.isGone()) found.tagsGone = await deletion.tagsGone();
  }, signal);
  if (trouble !== undefined) return { outcome: { outcome: 'unknown', reason: reasonOf(trouble) }, trouble: refusal ?? trouble };
  if (found.tagsGone !== undefined) return { outcome: { outcome: 'gone', tagsGone: found.tagsGone } };
  if (refusal === undefined) return { outcome: { outcome: 'there', reason: stillThere } };
  return { outcome: { outcome: 'there', reason: reasonOf(refusal) }, trouble: refusal };
}

/** Our own end, and what is not the registry's fault, is thrown on. */
async function troubleOf(ask: () => Promise<unknown>, signal: AbortSignal): Promise<ContentError | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof ContentError)) throw error;
    return error;
  }
}

export function reasonOf({ code, message }: { readonly code: string; readonly message: string }): SparedReason {
  return { code, message };
}

const stillThere: SparedReason = { code: 'still-there', message: 'the registry accepted the deletion, and has it all the same' };
