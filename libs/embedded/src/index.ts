export { EmbeddedError, type EmbeddedErrorCode } from './embedded-error.js';
export { type EmbeddedLog, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './postgres/embedded-postgres.js';
export { createDatabase, layOutDatabase, ownerRole, queueRole, queueSchema } from './postgres/database-layout.js';
export { type RunHow } from './postgres/server-folder.js';
export { startEmbeddedPostgres } from './postgres/start-embedded-postgres.js';
export { findFreePort } from './process/free-port.js';
