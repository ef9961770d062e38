import { WaybillError } from '@waybill/kernel';

export type RetentionRefusalCode =
  | 'policy-unknown' // no revision has declared it
  | 'policy-retired' // the active revision no longer declares it
  | 'policy-paused' // it is paused already
  | 'run-unfinished' // a run of the policy is under way: runs never overlap
  | 'run-unknown'
  | 'plan-outdated' // the run planned other words, or another registry, than the policy has now
  | 'plan-missing' // the run has no plan: there is nothing to look at
  | 'plan-not-waiting' // it waits for nobody: it is within its limits, or has ended
  | 'already-approved'
  | 'approval-unknown'
  | 'hold-unknown'
  | 'being-deleted' // a run or a purge is just deleting what is to be held, or a run what a restore needs: it is known in a moment
  | 'reporter-unknown'
  | 'nowhere-to-purge' // it was seen in no repository of the registry
  | 'needed-by-promotion' // a promotion under way needs it
  | 'held' // somebody holds it
  | 'not-in-trash' // it was not deleted, or is no longer held
  | 'restore-unfinished' // another restore is to bring it back
  | 'tag-in-promotion' // a promotion under way writes the same tag
  | 'too-much-protected' // more is held or under way than can be looked at: nothing may be planned to go
  | 'reporter-taken'; // its name belongs to another principal

/** What is refused of retention; but for what is being deleted, never retryable as it was said. */
export class RetentionRefusal extends WaybillError<RetentionRefusalCode> {}
