export { originOf, RegistryClients, type RegistryClientsOptions } from './registry-clients.js';
