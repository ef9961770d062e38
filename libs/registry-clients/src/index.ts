export { checkRegistry, type CheckRegistryOptions } from './check-registry.js';
export { originOf, type RegistryAccess, RegistryClients, type RegistryClientsOptions } from './registry-clients.js';
