import { everything, readApiKey } from '@waybill/access';
import type { ApiKeys } from '@waybill/persistence';

/** Makes sure that the administrator's key from the environment exists, with every right; revoking it does not outlive a restart with it. */
export async function ensureAdminKey(keys: ApiKeys, text: string): Promise<void> {
  const key = readApiKey(text);
  if (key === undefined) throw new Error('the configuration was validated and the administrator’s key still is no key');
  await keys.put({ ...key, principal: { kind: 'service', issuer: 'waybill', subject: 'admin' }, grants: everything });
}
