import type { Decision } from '../control/decision.js';
import type { Tables } from '../database.js';

/** What somebody may decide of retention; the table's check is the authority. */
export type RetentionAct =
  | 'approved'
  | 'revoked'
  | 'plan-approved'
  | 'paused'
  | 'resumed'
  | 'run-requested'
  | 'run-cancelled'
  | 'held'
  | 'released'
  | 'reporter-retired'
  | 'restored'
  | 'purged';

export interface RecordedAct extends Decision {
  readonly act: RetentionAct;
  /** The name of a policy or a reporter, or an id. */
  readonly subject: string;
  readonly body?: object;
}

/** Appends what was decided, in the transaction that does it. */
export async function recordAct(tables: Tables, { act, subject, by, reason, body = {} }: RecordedAct): Promise<void> {
  await tables.retentionRecord.create({ data: { act, subject, decidedBy: by, reason: reason ?? null, body } });
}
