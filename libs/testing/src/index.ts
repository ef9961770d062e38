export {
  type BuildCosignTagOptions,
  type BuildReferrerOptions,
  type BuiltArtifact,
  type BuiltCosignTag,
  type BuiltReferrer,
  buildCosignTag,
  buildReferrer,
  buildSignedArtifact,
  type CosignSuffix,
  pushArtifact,
} from './artifacts.js';
export { type CertificateRequest, createAuthority, type IssuedCertificate, type TestAuthority } from './certificates.js';
export { startCraneRegistry } from './crane-registry.js';
export { describeContentStore } from './content-store-contract.js';
export type { ContentStoreFeatures, ContentStoreFixture } from './content-store/fixture.js';
export { contentErrorOf } from './content-store/reading.js';
export { differencesBeneath, expectContained, type HeldGraph, heldGraph } from './expect-contained.js';
export { type ForwardProxy, type ForwardProxyOptions, startForwardProxy } from './forward-proxy.js';
export {
  type DockerRegistryOptions,
  type RunningRegistry,
  startDistribution3,
  startDockerRegistry,
  type TokenAuth,
} from './docker-registry.js';
export { type FrailPostgres, type SentMessage, type SessionEnd, sessionEnds, startFrailPostgres } from './frail-postgres.js';
export { type FrontFault, type FrontFaults, startFaultyFront } from './faulty-front.js';
export { type GoProgramName, goProgramNames } from './go-programs.js';
export {
  blobsOf,
  buildImage,
  type BuildImageOptions,
  buildIndex,
  type BuildIndexOptions,
  type BuiltContent,
  type BuiltImage,
  type ImageFormat,
  manifestsOf,
  pushBuilt,
  randomBytes,
  streamOf,
} from './images.js';
export { MemoryRegistry, MemoryStore, memoryStoreWith, type StoreCall } from './memory-store.js';
export { createMigratedDatabase } from './migrated-database.js';
export { describeWhere, describeWith, findServer, type FoundServer, type ServerName, type TestCondition } from './needs.js';
export {
  createTestDatabase,
  type CreateTestDatabaseOptions,
  type DatabaseTemplate,
  startTestPostgres,
  type TestDatabase,
} from './postgres.js';
export { controlQueueRole, type QueueRole } from './queue-role.js';
export { describeJobQueue, describeQueueOutages } from './queue-conformance.js';
export type { QueueBackendFixture } from './queue-conformance/fixture.js';
export { type PropertyRuns, propertyRuns } from './property-runs.js';
export { sample, type ScriptedRegistries, scriptedRegistries, type ScriptedRegistry } from './scripted-registry.js';
export { type Script, type ScriptedServer, type SeenRequest, startScriptedServer } from './scripted-server.js';
export { type RunningRedis, startRedis } from './redis.js';
export { makeTestFolder } from './test-folder.js';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
export { type SeenTokenRequest, startTokenServer, type TokenServer, type TokenServerOptions } from './token-server.js';
export { type ProcessEnd, startTypeScript, type TypeScriptProcess, typescriptLoader } from './typescript-process.js';
export { until } from './until.js';
export { startZot, type ZotOptions } from './zot.js';
