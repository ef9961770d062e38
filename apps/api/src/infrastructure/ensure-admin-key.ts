import { everything, readApiKey } from '@waybill/access';
import type { ApiKeys } from '@waybill/persistence';

/** Vouched for by the environment alone: the keys that the API makes belong to another issuer, so none can pass for the administrator. */
const administrator = { kind: 'service', issuer: 'waybill:environment', subject: 'admin' } as const;

/** Makes sure that the administrator's key from the environment exists, with every right; revoking it does not outlive a restart with it. */
export async function ensureAdminKey(keys: ApiKeys, text: string): Promise<void> {
  const key = readApiKey(text);
  if (key === undefined) throw new Error('the configuration was validated and the administrator’s key still is no key');
  await keys.put({ ...key, principal: administrator, grants: everything });
}
