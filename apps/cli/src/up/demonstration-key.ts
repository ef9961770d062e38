import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { DemonstrationPlan } from './demonstration-image.js';

/** Longer than any demonstration; a key that nobody could revoke does not stay for good. */
const lifetimeMs = 24 * 60 * 60 * 1000;
const maxSubjectLength = 255;

export interface DemonstrationKey {
  readonly id: string;
  readonly text: string;
}

/** Who acts for a data folder: several may share one database, and each revokes its own leftovers only. */
export function demonstrationSubject(dataDir: string): string {
  const place = `${hostname()}:${resolve(dataDir)}`;
  return `waybill-up ${place.slice(-(maxSubjectLength - 'waybill-up '.length))}`;
}

/** Makes a key that may do no more than the demonstration does. */
export async function makeDemonstrationKey(
  admin: WaybillApi,
  { path, reference }: DemonstrationPlan,
  subject: string,
): Promise<DemonstrationKey> {
  const { key, details } = await admin.createKey({
    subject,
    grants: [
      { verbs: ['promotions:create', 'promotions:read', 'artifacts:read'], paths: [path.name], repositories: [reference.repository] },
    ],
    expiresAt: new Date(Date.now() + lifetimeMs).toISOString(),
  });
  if (key === undefined) throw new Error('the API made a key and did not show it');
  return { id: details.id, text: key };
}

/** Revokes the keys that killed runs left behind. */
export async function revokeLeftoverKeys(admin: WaybillApi, subject: string): Promise<void> {
  const leftovers: string[] = [];
  for await (const { id, principal, revokedAt } of admin.keys()) {
    if (principal.subject === subject && revokedAt === undefined) leftovers.push(id);
  }
  for (const id of leftovers) await admin.revokeKey(id);
}
