export { type ApiKeyRecord, ApiKeys, type NewApiKey } from './access/api-keys.js';
export { type Claim, type IdempotentRequest, IdempotencyKeys, type StoredAnswer } from './access/idempotency-keys.js';
export {
  type CollectableRegistry,
  type CollectionFigures,
  type CollectionLease,
  CollectionLeases,
  type Drain,
} from './collection/collection-leases.js';
export {
  type CollectionPage,
  type CollectionRow,
  Collections,
  type CollectionState,
  type NewCollection,
} from './collection/collections.js';
export { endHopelessCollections } from './collection/hopeless-collections.js';
export { cancelledAmong } from './control/cancelled-among.js';
export type { Decision } from './control/decision.js';
export { HeldTargets } from './control/held-targets.js';
export { type NewPause, type PausePage, type PauseRow, Pauses, type PauseScope } from './control/pauses.js';
export { PromotionControl } from './control/promotion-control.js';
export {
  ArtifactReadModel,
  type KnownContent,
  type KnownDeletion,
  type KnownPlace,
  type KnownTag,
  type Place,
  type Relatives,
} from './artifacts/artifact.read-model.js';
export { Database, type DatabaseOptions } from './database.js';
export { isDatabaseUnavailable } from './database-unavailable.js';
export { type EventBounds, EventLog, type EventPage, type EventRow } from './events/event-log.js';
export type { CrawlLease } from './inventory/crawl-lease.js';
export { CrawlLeases, type LoadedCrawl } from './inventory/crawl-leases.js';
export type { CrawlTally } from './inventory/crawl-records.js';
export {
  type ClaimedCrawl,
  type CrawledRegistry,
  type CrawlRequest,
  CrawlSchedules,
  type RequestedCrawl,
} from './inventory/crawl-schedules.js';
export type { BoundedPage } from './inventory/bounded-page.js';
export { type CrawlState, type InventoryCrawl, InventoryCrawls, maxLeft } from './inventory/crawls.read-model.js';
export {
  type InventoryFacts,
  type InventoryManifest,
  InventoryManifests,
  type ManifestList,
  type TagState,
} from './inventory/manifests.read-model.js';
export {
  type ArtifactRelations,
  InventoryRelations,
  type KnownReferrer,
  type NamedBlob,
  type RelationScope,
} from './inventory/relations.read-model.js';
export {
  InventoryRepositories,
  type InventoryRepository,
  type RepositoryList,
  type UnreadableManifest,
} from './inventory/repositories.read-model.js';
export {
  InventoryTags,
  type InventoryTag,
  type InventoryTagEvent,
  type TagHistory,
  type TagList,
  type TagSource,
} from './inventory/tags.read-model.js';
export { type FoundArtifact, type FoundPlace } from './inventory/search-artifacts.js';
export type { SearchScope } from './inventory/search-scope.js';
export { type FoundTag, type TagPosition } from './inventory/search-tags.js';
export { InventorySearch } from './inventory/search.read-model.js';
export { VisibleRepositories } from './inventory/visible-repositories.js';
export { type PolicyState, readRetentionState, type RetentionState } from './metrics/retention-state.js';
export { readSystemState, type SystemState } from './metrics/system-state.js';
export { maxPayloadBytes, sendProgress } from './events/send-progress.js';
export { applyMigrations, migrationsFolder } from './migrations/apply-migrations.js';
export { type Channel, Notifications } from './notifications.js';
export { PersistenceError, type PersistenceErrorCode } from './persistence-error.js';
export { PromotionWriter } from './promotions/create-promotion.js';
export type { NewPromotion } from './promotions/new-promotion.js';
export { type NamedPrincipal, Principals } from './promotions/principals.js';
export type { PromotionFilter, PromotionPage } from './promotions/promotion-filter.js';
export {
  type PromotionCandidate,
  type PromotionDetail,
  PromotionReadModel,
  type PromotionScope,
  type PromotionSummaryRow,
} from './promotions/promotion.read-model.js';
export { type ChainedRecord, ProvenanceChain } from './provenance/provenance-chain.js';
export { Leftovers } from './reconcile/leftovers.js';
export { type OpenEffect, OpenEffects } from './reconcile/open-effects.js';
export { type CheckLease, CheckLeases, type RegistryToCheck } from './registry-checks/check-leases.js';
export {
  type CheckedRegistryRow,
  type NewestReport,
  type NewRegistryCheck,
  type RegistryCheckRow,
  RegistryChecks,
} from './registry-checks/registry-checks.js';
export { type FeedState, type Heartbeat, NotificationFeeds, type NotifyingRegistry } from './registry-notifications/notification-feeds.js';
export { type ClaimedHints, type HintedLook, NotificationHints } from './registry-notifications/notification-hints.js';
export { NotificationIntake, type TakenIn } from './registry-notifications/notification-intake.js';
export type { Delivery, GapReason, Told } from './registry-notifications/told.js';
export { type ApprovalRow, type NewApproval, RetentionApprovals } from './retention/approvals.js';
export { lockForDeletion, neededByPromotions } from './retention/deletion-lock.js';
export type { DeletionOutcome, SparedReason } from './retention/deletion-effects.js';
export { type ActingState, ExecutionJournal } from './retention/execution-journal.js';
export {
  type Begun,
  type CondemnedRow,
  type DeletionTarget,
  ExecutionRecordsStore,
  type OpenDeletion,
} from './retention/execution-records.js';
export { ExecutionStop, type ExecutionStopCode } from './retention/execution-stop.js';
export { type HoldPage, type HoldRow, Holds, type HoldScope, type NewHold } from './retention/holds.js';
export { type DigestInUse, InUse, type InUseReport, type InUseReporterRow, type KnownInUse } from './retention/in-use.js';
export { groupRepositories, loadRepositories } from './retention/load-repositories.js';
export { loadProtections, type RunProtections } from './retention/load-protections.js';
export {
  type LoadedRepository,
  loadSnapshot,
  loadSnapshots,
  type RegistryToLoad,
  type RepositoryToLoad,
} from './retention/load-snapshot.js';
export type { MarkedManifest, MarkState, NewMark } from './retention/mark-manifests.js';
export { type KeptPlan, type NewDecision, PlanJournal, type RepositoryOutcome } from './retention/plan-journal.js';
export { type PolicyPage, type PolicyRow, RetentionPolicies } from './retention/policies.js';
export { purgeLookRecords, rereadRecords, type RereadOptions } from './retention/reread-records.js';
export { RetentionRefusal, type RetentionRefusalCode } from './retention/retention-refusal.js';
export type { LostPush } from './retention/restore-pushes.js';
export { type RetentionLease, RetentionLeases } from './retention/run-leases.js';
export {
  type DecisionPage,
  type DecisionRow,
  type RetentionRunRow,
  RetentionRuns,
  type RetentionRunState,
  type RunPage,
  type RunRepositoryRow,
} from './retention/runs.js';
export type { MarkPage, MarkRow } from './retention/run-marks.js';
export { RetentionTicks, type Tick } from './retention/ticks.js';
export { findPurgeable } from './retention/find-purgeable.js';
export { type PurgedTrash, type PurgeIntent, PurgeRecords } from './retention/purge-records.js';
export { findRestorable } from './retention/find-restorable.js';
export { type Leaving, type NewTrash, RetentionTrash } from './retention/trash.js';
export { type RestorableRow, type TrashRequestLease, TrashRequestLeases } from './retention/trash-request-leases.js';
export {
  type AskedOfTrash,
  type FindItems,
  type ItemPage,
  type NewTrashRequest,
  type TagReturn,
  type TrashItemRow,
  type TrashRequestKind,
  type TrashRequestRow,
  TrashRequests,
  type TrashRequestState,
} from './retention/trash-requests.js';
export { type TrashFilter, type TrashPage, type TrashRow, TrashRows } from './retention/trash-rows.js';
export { closeRun } from './run/close-run.js';
export { type DispatchLease, DispatchLeases } from './run/dispatch-lease.js';
export { type LoadedRun, loadRun } from './run/load-run.js';
export { type DispatchMessage, Outbox } from './run/outbox.js';
export { PrismaRunJournal } from './run/prisma-run-journal.js';
export { type StoredError, storedError } from './run/stored-error.js';
export { Schedules } from './schedules/schedules.js';
export { type RegistryRecord, type TopologyRevision, TopologyRevisions } from './topology/topology-revisions.js';
export { type Patience, untilDatabaseAnswers } from './until-database-answers.js';
export type { PoolWatch } from './watched-pool.js';
