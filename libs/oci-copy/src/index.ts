export { copyGraph } from './copy-graph.js';
export { CopyError, type CopyErrorCode, type CopySide, type Fault } from './copy-error.js';
export { findReferrers, type FindReferrersOptions, type ReferrersReport } from './find-referrers.js';
export type {
  BlobEvent,
  BytesGiven,
  CopyHooks,
  CopyOptions,
  CopyTarget,
  GraphBounds,
  ManifestEvent,
  Patience,
  ReferrerOptions,
  ReferrerRules,
  ReferrerSelection,
  TagEvent,
} from './options.js';
export type {
  CopyReport,
  FoundReferrer,
  ReferrerOutcome,
  ReferrerReport,
  TargetCounts,
  TargetOutcome,
  TargetReport,
  UnlistedSubject,
} from './report.js';
export type { ExpectedReferrer } from './referrers/verify-referrers.js';
export type { SyncCounts, SyncOptions, SyncReport, SyncSource, SyncTarget, TagOutcome, TagReport } from './sync/sync-options.js';
export { syncRepository } from './sync/sync-repository.js';
export { verifyGraph, type VerifyOptions, type VerifyReport } from './verify-graph.js';
