export { derivePromotionState, isSettled, isTerminal, type ItemTargetStatus } from './derive-promotion-state.js';
export {
  type Counts,
  estimate,
  type Estimate,
  type ItemContent,
  type LinkEstimate,
  type Piece,
  type SeenContent,
  type SourceContent,
  type TargetEstimate,
  type TargetForecast,
  type Unseen,
} from './estimate.js';
export { type ExpectedDigest, expectedFrom } from './expected-digest.js';
export { hashIntent, type Intent, type IntentItem, type IntentTarget } from './intent.js';
export { type Blindness, blindnessOf } from './plan/blindness.js';
export { buildIntent, type ResolvedItem } from './plan/build-intent.js';
export { type ForecastLimits, forecastTarget, inspectContent } from './plan/inspect-content.js';
export {
  type ImmutableConflict,
  immutableConflicts,
  type ObservedTarget,
  observeTargets,
  refuseImmutableConflicts,
} from './plan/observe-targets.js';
export { planItems, type PlannedItem, type PlannedTarget, type RequestedItem } from './plan/plan-items.js';
export type { RegistryReader, RepositoryReader } from './plan/registry-reader.js';
export { resolveSource, type ResolveSourceOptions } from './plan/resolve-source.js';
export { cancelled, isCancelled, paused, PromotionError, type PromotionErrorCode } from './promotion-error.js';
export { type EndedTarget, targetsToRetry } from './retry/targets-to-retry.js';
export { endCancelledRun } from './run/end-cancelled-run.js';
export type {
  ContentCopier,
  ContentOutcome,
  CopiedBytes,
  CopyOptions,
  CopyOutcome,
  EffectReadBack,
  RunJournal,
  TagReadiness,
  TagResult,
  TagTurn,
  TargetEnding,
  UnsettledEffect,
} from './run/ports.js';
export { retryDelay, type RetryPolicy } from './run/retry-policy.js';
export type { ItemRun, LocationRun, TagRun, TargetRun, VerifiedContent, VerifiedManifest } from './run/run.js';
export type { RunPorts } from './run/run-context.js';
export { type RunStep, runSteps, type RunWatch } from './run/run-watch.js';
export { runItem } from './run/run-item.js';
export { runLocation } from './run/run-location.js';
export {
  itemTargetStates,
  type ItemTargetState,
  itemTargetTransitions,
  mistakesOf,
  type Outcome,
  outcomes,
  type PromotionState,
  promotionStates,
  type Requirement,
  statesBefore,
  type TransitionTable,
} from './states.js';
