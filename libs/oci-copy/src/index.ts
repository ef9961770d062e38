export { copyGraph } from './copy-graph.js';
export { CopyError, type CopyErrorCode, type CopySide, type Fault } from './copy-error.js';
export type { BlobEvent, CopyHooks, CopyOptions, CopyTarget, GraphBounds, ManifestEvent, Patience, TagEvent } from './options.js';
export type { CopyReport, TargetCounts, TargetOutcome, TargetReport } from './report.js';
export { verifyGraph, type VerifyOptions, type VerifyReport } from './verify-graph.js';
