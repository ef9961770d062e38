export { ListProvenance, Provenance, ProvenanceEntry } from './artifacts.js';
export { Collection, CollectionList, collectionStateNames, CreateCollection, ListCollections } from './collections.js';
export {
  Cancellation,
  CancelPromotion,
  CreatePause,
  ListPauses,
  OpenPause,
  Pause,
  PauseList,
  ResumePause,
  RetryPromotion,
} from './control.js';
export {
  BlobProgress,
  CopyProgress,
  eventData,
  type EventName,
  FollowEvents,
  FollowPromotion,
  PromotionChanged,
  StreamPosition,
  TagSettled,
  TargetChanged,
  TargetProgress,
} from './events.js';
export { Estimate, PromotionEstimate, unseenNames } from './estimates.js';
export { type SchemaExample, schemaExamples } from './examples.js';
export {
  Artifact,
  ArtifactInventory,
  ArtifactPlace,
  ArtifactRegistry,
  ArtifactTag,
  blindnessNames,
  ContentFacts,
  FindArtifact,
  presenceNames,
  ResolveArtifact,
  ResolvedArtifact,
} from './find-artifact.js';
export { Health, PartHealth } from './health.js';
export { CreateHold, Hold, HoldList, ListHolds, ReleaseHold } from './holds.js';
export {
  AcceptedCrawl,
  Crawl,
  crawlKindNames,
  CrawlList,
  CreateCrawl,
  InventoryManifest,
  InventoryManifestList,
  InventoryPlatform,
  InventoryRepository,
  InventoryRepositoryList,
  InventoryTag,
  InventoryTagEvent,
  InventoryTagHistory,
  InventoryTagList,
  ListCrawls,
  ListInventoryManifests,
  ListInventoryRepositories,
  ListInventoryTagHistory,
  ListInventoryTags,
  repositoryStateNames,
  UnreadableManifest,
} from './inventory.js';
export { InUseReporter, InUseReporterList, ListInUseReporters, ReportInUse, RetireReporter } from './in-use.js';
export { CreatedKey, CreateKey, Grant, KeyList, KeyView, ListKeys, verbNames } from './keys.js';
export { ListPromotions } from './list-promotions.js';
export { isProblemCode, Problem, type ProblemCode, problemKinds, problemType } from './problems.js';
export { outcomeNames, promotionStateNames, targetStateNames } from './promotion-words.js';
export {
  AcceptedPromotion,
  CreatePromotion,
  OnBehalfOf,
  Promotion,
  PromotionItem,
  PromotionList,
  PromotionSource,
  PromotionSummary,
  PromotionTag,
  PromotionTarget,
} from './promotions.js';
export { AcceptedRegistryCheck, CreateRegistryCheck, ProbeResult, RegistryCheck, RegistryList, RegistryReport } from './registries.js';
export { notificationMediaTypes, RegistryEvent, RegistryFeed, RegistryNotifications } from './registry-notifications.js';
export {
  ApproveRetentionPlan,
  CancelRetentionRun,
  CreateRetentionApproval,
  ListRetentionApprovals,
  ListRetentionDecisions,
  ListRetentionMarks,
  ListRetentionPolicies,
  ListRetentionRunRepositories,
  ListRetentionRuns,
  PauseRetentionPolicy,
  RequestRetentionRun,
  ResumeRetentionPolicy,
  RetentionApproval,
  RetentionApprovalList,
  RetentionDecisions,
  RetentionMarks,
  RetentionPolicy,
  RetentionPolicyList,
  RetentionRun,
  RetentionRunList,
  RetentionRunRepositories,
  RevokeRetentionApproval,
} from './retention.js';
export { holdScopeNames, markStateNames, retentionRunStateNames, verdictNames } from './retention-words.js';
export { FoundArtifact, FoundTag, SearchInventory, SearchResults } from './search.js';
export {
  CreatePurge,
  CreateRestore,
  ListPurgedManifests,
  ListPurges,
  ListRestoredManifests,
  ListRestores,
  ListTrash,
  Purge,
  PurgedManifests,
  PurgeList,
  Restore,
  RestoredManifests,
  RestoreList,
  TrashEntry,
  TrashList,
  trashRequestStateNames,
} from './trash.js';
export { ActiveTopology, AppliedTopology, ApplyTopology, LocateRegistry, RegistryView, Revision } from './topology.js';
