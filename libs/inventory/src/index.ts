export { type CrawlFailure, type CrawlOptions, crawlRegistry } from './crawl-registry.js';
export type { CreatedProblem, CreationTime } from './creation-time.js';
export { confirmAfterMs, type CrawlKind, judgeListing, type KnownTag, type ListingJudgement, type ListingSeen } from './judge-listing.js';
export { lookAtReferences, type ReferencesLook, type ReferencesSeen } from './look-at-references.js';
export { lookAtRepository, type LookOptions, type LookOutcome, maxUntaggedAsked } from './look-at-repository.js';
export {
  describeManifest,
  type FactsGap,
  type ManifestFacts,
  manifestsBeneath,
  type ManifestSurroundings,
  type Platform,
} from './manifest-facts.js';
export { RecordsError, type RecordsErrorCode } from './records-error.js';
export type {
  CrawlCount,
  CrawlRecords,
  InventoriedRegistry,
  KnownRepository,
  ListedFrom,
  LookEnd,
  ManifestStatus,
  Problem,
  QueuedRepository,
  RepositoryReader,
  RepositoryRecords,
  RepositoryState,
  TagChanges,
  Unread,
} from './ports.js';
