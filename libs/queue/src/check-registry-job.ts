import { CheckRegistry, checkRegistryName } from '@waybill/contracts/jobs';
import { defineJob } from './define-job.js';

/** One job per check, registry and dispatch; each location has a queue of its own, since a registry may be reached from there only. */
export const checkRegistryJob = defineJob<CheckRegistry>({
  name: checkRegistryName,
  payload: CheckRegistry,
  queueFor: ({ location }) => checkRegistryQueue(location),
  idFor: ({ checkId, registryId, dispatch }) => `${checkId}.${registryId}.${dispatch}`,
});

/** The queue of a location's checks. */
export function checkRegistryQueue(location: string): string {
  return `${checkRegistryName}.${location}`;
}
