export { originOf, type RegistryAccess, RegistryClients, type RegistryClientsOptions } from './registry-clients.js';
