import { WaybillError } from '@waybill/kernel';

/** Why a run of retention may not go on. */
export type ExecutionStopCode =
  | 'lease-lost' // another worker has the run, or it has ended: nothing may be recorded or deleted any more
  | 'run-cancelled'
  | 'policy-retired' // the active revision no longer declares it
  | 'policy-changed' // its words are others than those that were approved
  | 'policy-not-enforced' // it only plans by now
  | 'policy-paused'
  | 'approval-revoked'
  | 'registry-replaced' // the name means another registry than the one that was planned
  | 'window-over'
  | 'registry-collected' // it takes no deletions while its space is given back
  | 'grace-not-over';

/** Whoever catches one deletes nothing more. Where it is retryable the run only rests; else, unless its lease is lost, it ends. */
export class ExecutionStop extends WaybillError<ExecutionStopCode> {}

const messages: Readonly<Record<ExecutionStopCode, string>> = {
  'lease-lost': 'another worker has the run, or it has ended',
  'run-cancelled': 'somebody cancelled the run',
  'policy-retired': 'the active topology no longer has the policy',
  'policy-changed': 'the policy says something else than what the run planned: look at a plan of it and approve that',
  'policy-not-enforced': 'the policy no longer says mode: enforce',
  'policy-paused': 'somebody paused the policy',
  'approval-revoked': 'somebody revoked the approval that the run acts on',
  'registry-replaced': 'the name means another registry since the run began',
  'window-over': 'the window of the policy is over: its next run goes on',
  'registry-collected': 'the registry is being collected, and takes no deletions meanwhile',
  'grace-not-over': 'something that is marked has not been marked for long enough',
};

export function executionStop(code: ExecutionStopCode): ExecutionStop {
  const retryable = code === 'registry-collected' || code === 'grace-not-over';
  return new ExecutionStop(messages[code], { code, operation: 'run retention', retryable });
}
