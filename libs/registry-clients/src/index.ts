export { checkRegistry, type CheckRegistryOptions } from './check-registry.js';
export { clientsOfProcess } from './clients-of-process.js';
export type { RegistryAccess } from './credentials.js';
export { originOf, RegistryClients, type RegistryClientsOptions } from './registry-clients.js';
export { requestMetrics } from './request-metrics.js';
