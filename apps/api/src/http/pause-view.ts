import type { Pause } from '@waybill/contracts/http';
import type { PauseRow } from '@waybill/persistence';

type OpenPause = Pick<Pause, 'id' | 'scope' | 'name' | 'reason' | 'pausedBy' | 'pausedAt'>;

/** A pause as those see it who wait for its end. Columns of words are text in the database, which checks them. */
export function toOpenPause({ id, scope, name, reason, pausedBy, pausedAt }: PauseRow): OpenPause {
  return { id, scope: scope as Pause['scope'], ...(name === '' ? {} : { name }), reason, pausedBy, pausedAt: pausedAt.toISOString() };
}

export function toPause(row: PauseRow): Pause {
  const { resumedBy, resumedAt, resumeReason } = row;
  return {
    ...toOpenPause(row),
    ...(resumedBy === null ? {} : { resumedBy }),
    ...(resumedAt === null ? {} : { resumedAt: resumedAt.toISOString() }),
    ...(resumeReason === null ? {} : { resumeReason }),
  };
}
