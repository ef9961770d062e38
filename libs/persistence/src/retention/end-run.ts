import type { Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { StoredError } from '../run/stored-error.js';
import { countOutcomes, endMarks } from './end-marks.js';

/** How a run ends. */
export interface RunEnd {
  readonly state: 'succeeded' | 'partial' | 'failed' | 'cancelled';
  /** Why it ends before its plan is done. */
  readonly error?: StoredError;
}

/** Ends a run whose row is locked: what is marked stays, and what has come of its repositories is written down. */
export async function endRun(tables: Tables, runId: string, { state, error }: RunEnd): Promise<void> {
  const why = error ?? { code: 'run-cancelled', message: 'somebody cancelled the run' };
  await endMarks(tables, runId, why);
  if (state !== 'succeeded') {
    await tables.$executeRaw`
      UPDATE retention_run_repository SET state = 'failed', finished_at = now(), error = ${storableJson({ operation: 'run retention', retryable: true, ...why })}::jsonb
      WHERE run_id = ${runId}::uuid AND state IN ('marking', 'grace', 'deleting')`;
  }
  await countOutcomes(tables, runId);
  await tables.$executeRaw`
    UPDATE retention_run SET state = ${state}, finished_at = now(), lease_expires_at = NULL,
      error = ${error === undefined ? null : storableJson(error)}::jsonb
    WHERE id = ${runId}::uuid`;
}
