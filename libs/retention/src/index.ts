export { applyLimits, type ExceededLimit, type LimitVerdict, type PlannedRemovals } from './apply-limits.js';
export { asKeeper, type CompiledPolicy, compilePolicy } from './compile/compile-policy.js';
export { executeRepository } from './execution/execute-repository.js';
export { markRepository } from './execution/mark-repository.js';
export type {
  ArchivePort,
  Condemned,
  DeletingRegistry,
  DeletionOutcome,
  Departing,
  ExecutionPorts,
  ExecutionRecords,
  FreshKnowledge,
  FreshPlan,
  SparedReason,
  TrashPort,
} from './execution/ports.js';
export { PlanHasher } from './plan-hash.js';
export { planningSteps, planRepository } from './plan-repository.js';
export {
  type CompiledProtections,
  compileProtections,
  type Hold,
  type InUse,
  type Protections,
  type RunningPromotion,
  type UnknownScope,
} from './protections.js';
export { type Reason, type ReasonCode, reasonCodes, reasonMeaning } from './reasons.js';
export type { ArtifactDecision, PlanTotals, RepositoryPlan, TagDecision } from './repository-plan.js';
export { RetentionError, type RetentionErrorCode } from './retention-error.js';
export type {
  Absence,
  KnownTime,
  PromotedTo,
  RepositoryKnowledge,
  RepositorySnapshot,
  SnapshotBlob,
  SnapshotManifest,
  SnapshotTag,
} from './snapshot.js';
export { type Restorable, restoreOrder } from './trash/restore-order.js';
export { TrashError, type TrashErrorCode } from './trash/trash-error.js';
export { isListOfReferrers, subjectsOf, trashTagOf } from './trash/trashed-manifest.js';
export type { Steps } from './steps.js';
