export { type CollectRequest, ControlClient } from './control/control-client.js';
export type { ControlledRegistry } from './control/control-protocol.js';
export { type ControlServer, serveControl, type ServeControlOptions } from './control/serve-control.js';
export { EmbeddedError, type EmbeddedErrorCode } from './embedded-error.js';
export { checkDatabase } from './postgres/check-database.js';
export { createDatabase, layOutDatabase, ownerRole, queueRole, queueSchema } from './postgres/database-layout.js';
export { type EmbeddedLog } from './embedded-log.js';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions } from './postgres/embedded-postgres.js';
export { type RunHow } from './postgres/server-folder.js';
export { startEmbeddedPostgres } from './postgres/start-embedded-postgres.js';
export { findFreePort } from './process/free-port.js';
export { type ReadyWhen } from './process/readiness.js';
export { type SupervisedProcess, superviseProcess, type SuperviseProcessOptions } from './process/supervise-process.js';
export type { CollectedSpace } from './registry/collect-garbage.js';
export type { CollectionPhase, CollectOptions } from './registry/served-registry.js';
export { type RegistryEngine } from './registry/registry-folder.js';
export {
  type LocalRegistryOptions,
  type LocalRegistryProcess,
  startLocalRegistryProcess,
} from './registry/start-local-registry-process.js';
export { acquireRunLock, type ChildRecord, type RunLock } from './run-folder.js';
