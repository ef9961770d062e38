import type { WaybillApi } from '../api-client/waybill-api.js';
import type { DemonstrationPlan } from './demonstration-image.js';

const subject = 'waybill-up';

/** A key that may do no more than the demonstration does; those of killed runs are revoked first. */
export async function makeDemonstrationKey(
  admin: WaybillApi,
  { path, reference }: DemonstrationPlan,
): Promise<{ readonly id: string; readonly api: WaybillApi }> {
  await revokeLeftovers(admin);
  const { key, details } = await admin.createKey({
    subject,
    grants: [
      { verbs: ['promotions:create', 'promotions:read', 'artifacts:read'], paths: [path.name], repositories: [reference.repository] },
    ],
  });
  if (key === undefined) throw new Error('the API made a key and did not show it');
  return { id: details.id, api: admin.withKey(key) };
}

async function revokeLeftovers(admin: WaybillApi): Promise<void> {
  const { keys } = await admin.keys();
  const leftovers = keys.filter(({ principal, revokedAt }) => principal.subject === subject && revokedAt === undefined);
  for (const { id } of leftovers) await admin.revokeKey(id);
}
