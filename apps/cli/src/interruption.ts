import { constants } from 'node:os';
import { WaybillError } from '@waybill/kernel';

export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof stopSignals)[number];

/** The user, or the system, asked the command to end. */
export class Interruption extends WaybillError<'interrupted'> {
  /** 128 and the signal's number, as a shell gives it. */
  readonly exitStatus: number;

  constructor(readonly signal: StopSignal) {
    super(`stopped by ${signal}`, { code: 'interrupted', operation: 'run command' });
    this.exitStatus = 128 + constants.signals[signal];
  }
}
