import type { Database } from '../database.js';
import { Prisma } from '../generated/client.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { StoredError } from '../run/stored-error.js';
import { endCollections } from './end-collections.js';

/** `waybill up` takes a request within seconds: whoever asked has long gone. */
const waitsFor = '10 minutes';
/** Since it has begun, when no worker renews its lease any more. */
const mayTake = '1 hour';

const nobodyCame = storableJson({
  code: 'no-supervisor',
  message: `no "waybill up" that runs this registry took the collection within ${waitsFor}: start it, and ask again`,
  operation: 'collect registry',
  retryable: true,
} satisfies StoredError);

const abandoned = storableJson({
  code: 'abandoned',
  message: `nobody brought the collection to its end within ${mayTake}: "waybill up" starts the registry for reading and writing again`,
  operation: 'collect registry',
  retryable: true,
} satisfies StoredError);

/** Ends collections that nobody will bring to their end, so that copies do not wait for ever; any worker may. Gives how many. */
export async function endHopelessCollections(database: Database): Promise<number> {
  return database.transaction(async (tables) => {
    const free = Prisma.sql`(lease_expires_at IS NULL OR lease_expires_at < now())`;
    const untaken = await endCollections(
      tables,
      Prisma.sql`state = 'refused', error = ${nobodyCame}::jsonb`,
      Prisma.sql`state = 'requested' AND ${free} AND requested_at < now() - ${waitsFor}::interval`,
    );
    const left = await endCollections(
      tables,
      Prisma.sql`state = 'failed', error = ${abandoned}::jsonb`,
      Prisma.sql`state <> 'requested' AND ${free} AND started_at < now() - ${mayTake}::interval`,
    );
    return untaken + left;
  });
}
