import { uuidV7 } from '@waybill/kernel';
import { type Digest, parseRepositoryName, type RepositoryName } from '@waybill/oci-model';
import { findPurgeable } from './find-purgeable.js';
import { PurgeRecords } from './purge-records.js';
import type { RetentionScene } from './retention-scene.spec-helper.js';
import { type TrashRequestLease, TrashRequestLeases } from './trash-request-leases.js';
import { type TrashRequestRow, TrashRequests } from './trash-requests.js';

/** A purge that a worker has begun. */
export interface BegunPurge {
  readonly lease: TrashRequestLease;
  readonly leases: TrashRequestLeases;
  readonly records: PurgeRecords;
}

/** Asks for a purge, as the API does, and claims it. */
export async function beginPurge(
  scene: RetentionScene,
  {
    registry = 'ci',
    repository = 'team-a/app',
    digest,
  }: { readonly registry?: string; readonly repository?: string; readonly digest: Digest },
): Promise<BegunPurge> {
  const place: RepositoryName = parseRepositoryName(repository);
  const claimed = await scene.claim<TrashRequestRow>();
  const asked = { registry, repository: place, digest };
  const request = { id: uuidV7.next(), asked, by: scene.by, reason: 'spec' };
  await new TrashRequests(scene.database).create('purge', request, { ...claimed, find: findPurgeable });
  const leases = new TrashRequestLeases(scene.database, { leaseMs: 60_000 });
  const lease = await leases.claimNext('worker');
  if (lease?.id !== request.id) throw new Error('another request was claimed');
  return { lease, leases, records: new PurgeRecords(scene.database, lease, place) };
}
