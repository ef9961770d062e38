export { type Admission, admits } from './admits.js';
export { canonicalTopology } from './canonical-topology.js';
export { crawlIntervals } from './crawl-intervals.js';
export { type Diagnostic, type DiagnosticCode, diagnosticCodes } from './diagnostic.js';
export { parseDuration } from './duration.js';
export { formatDiagnostic } from './format-diagnostic.js';
export { isImmutableTag } from './is-immutable-tag.js';
export { pathNamed, registryNamed } from './lookup.js';
export type {
  CredentialSource,
  ImmutableTags,
  Location,
  PlacedRegistry,
  PromotionPath,
  ProxyServer,
  Registry,
  RegistryNotifications,
  RegistryTimeouts,
  Replication,
  SecretRef,
  TlsIdentity,
  Topology,
  UpstreamRegistry,
} from './model.js';
export { nearest } from './nearest.js';
export { type ParsedTopology, parseTopology, type ParseTopologyOptions } from './parse-topology.js';
export { type HeardRegistry, heardRegistries } from './notifications/notifications-of.js';
export { neededProbes, readOnlyBecause, unmetNeeds } from './registry-needs.js';
export { registriesAt } from './registries-at.js';
export { repositoryAtOrigin } from './repository-at-origin.js';
export { annotationMatcher } from './retention/annotation-glob.js';
export { type Cron, parseCron, type ParsedCron } from './retention/cron.js';
export { policyHash } from './retention/policy-hash.js';
export type {
  AgeOf,
  ArtifactMatch,
  DeletionLimits,
  KeepRule,
  MostRecent,
  RemovalRule,
  RepositorySelection,
  RetentionMode,
  RetentionPolicy,
  RetentionProtection,
  RetentionRule,
  RetentionSchedule,
  TagMatch,
} from './retention/policy.js';
export { type Deletion, mayFeed, type Role, roleMatrix, type RoleRules, roles, type TagDefault } from './roles.js';
export { topologyJsonSchema } from './schema.js';
export { secretNames } from './secret-names.js';
export { storedTopology } from './stored-topology.js';
export { targetRepository } from './target-repository.js';
export { type PromotionTarget, targetsOf } from './targets-of.js';
export { type TopologyChange, topologyChanges } from './topology-changes.js';
export { TopologyError, type TopologyErrorCode } from './topology-error.js';
export { withProbedCapabilities } from './with-probed-capabilities.js';
