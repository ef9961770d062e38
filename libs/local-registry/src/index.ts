export type { AccessOptions, Permission, RegistryUser } from './access.js';
export type { Fault, FaultRule, Interruption, RequestFacts } from './faults/fault.js';
export type { FaultPlan, PlannedFault } from './faults/fault-plan.js';
export {
  type LocalRegistry,
  LocalRegistryError,
  type LocalRegistryErrorCode,
  type LocalRegistryOptions,
  type LocalRegistryStorage,
  startLocalRegistry,
} from './local-registry.js';
export type { Route } from './route.js';
