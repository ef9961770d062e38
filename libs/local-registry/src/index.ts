export type { Fault, FaultRule, RequestFacts } from './faults.js';
export {
  type LocalRegistry,
  LocalRegistryError,
  type LocalRegistryErrorCode,
  type LocalRegistryOptions,
  startLocalRegistry,
} from './local-registry.js';
export type { Route } from './route.js';
