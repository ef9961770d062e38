import { digestFromBytes } from '@waybill/oci-model';
import { Prisma } from '../generated/client.js';
import type { Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import { lockForDeletion } from './deletion-lock.js';
import { RetentionRefusal } from './retention-refusal.js';
import { conditionsOf, isKnownToBeThere, wasDeleted } from './trash-rows.js';
import type { AskedOfTrash, NewTrashRequest } from './trash-requests.js';

/**
 * Names what a restore brings back: what was asked for, all that was deleted beneath it, what referred to any of that, and so on.
 * What is back already is left out; it is no trouble to ask again.
 * @throws RetentionRefusal `not-in-trash`; `restore-unfinished` when another restore is to bring some of it back;
 * `tag-in-promotion` when a promotion is about to write one of its tags; `being-deleted` when a run is just deleting what it needs
 */
export async function findRestorable(
  tables: Tables,
  { id, registryId, asked }: NewTrashRequest & { readonly registryId: string },
): Promise<number> {
  const found = await tables.$queryRaw<{ id: string; wanted_by: string | null }[]>`
    WITH RECURSIVE wanted (id) AS (
      (SELECT t.id FROM retention_trash t WHERE ${isOpen} AND ${askedFor(asked, registryId)})
      UNION
      SELECT t.id FROM wanted w
        JOIN retention_trash_link h ON h.trash_id = w.id AND h.kind = 'holds'
        JOIN retention_trash_link l ON l.digest = h.digest
        JOIN retention_trash o ON o.id = w.id
        JOIN retention_trash t ON t.id = l.trash_id AND t.registry_id = o.registry_id AND t.repository = o.repository
      WHERE ${isOpen} AND (l.kind = 'refers' OR t.digest = l.digest)
    )
    SELECT id, wanted_by FROM retention_trash
    WHERE id IN (SELECT id FROM wanted) AND restored_at IS NULL AND emptied_at IS NULL ORDER BY id FOR UPDATE`;
  const other = found.find(({ wanted_by: wantedBy }) => wantedBy !== null);
  if (other !== undefined) {
    throw refused('restore-unfinished', `restore ${other.wanted_by ?? ''} brings some of it back already: wait for its end`);
  }
  if (found.length === 0) {
    await refuseUnlessBack(tables, asked, registryId);
    return 0;
  }
  const ids = found.map((row) => row.id);
  await refuseInPromotion(tables, ids);
  await keepForRestore(tables, { id, registryId, ids });
  await tables.$executeRaw`UPDATE retention_trash SET wanted_by = ${id}::uuid WHERE id = ANY(${ids}::uuid[])`;
  await tables.$executeRaw`
    INSERT INTO retention_request_item (request_id, repository, digest, trash_id, state)
    SELECT ${id}::uuid, repository, digest, id, 'pending' FROM retention_trash WHERE id = ANY(${ids}::uuid[])`;
  return found.length;
}

const isOpen = Prisma.sql`t.restored_at IS NULL AND t.emptied_at IS NULL AND ${wasDeleted}`;

/**
 * A tag means what it named last of what was deleted and can still be had, or is back; where there is nothing of that, what the registry
 * was seen to keep.
 */
function askedFor(asked: AskedOfTrash, registryId: string): Prisma.Sql {
  const { registry: _byId, ...filter } = asked;
  const condition = Prisma.join([Prisma.sql`t.registry_id = ${registryId}::uuid`, ...conditionsOf(filter)], ' AND ');
  return asked.tag === undefined
    ? condition
    : Prisma.sql`${condition} AND t.id = (
    SELECT t.id FROM retention_trash t
    WHERE t.registry_id = ${registryId}::uuid AND t.repository = ${asked.repository ?? ''} AND jsonb_exists(t.tags, ${asked.tag})
      AND t.emptied_at IS NULL AND ${wasDeleted}
    ORDER BY ${isKnownToBeThere}, t.id DESC LIMIT 1)`;
}

async function refuseUnlessBack(tables: Tables, asked: AskedOfTrash, registryId: string): Promise<void> {
  const back = await tables.$queryRaw<unknown[]>`
    SELECT 1 FROM retention_trash t WHERE t.restored_at IS NOT NULL AND ${askedFor(asked, registryId)} LIMIT 1`;
  if (back.length === 0) throw refused('not-in-trash', 'nothing of that is in the trash: it was not deleted, or its time is over');
}

async function refuseInPromotion(tables: Tables, ids: readonly string[]): Promise<void> {
  const [written] = await tables.$queryRaw<{ repository: string; tag: string; promotion_id: string }[]>`
    SELECT t.repository, g.tag, p.promotion_id
    FROM retention_trash t CROSS JOIN LATERAL jsonb_array_elements_text(t.tags) AS n (tag)
      JOIN item_target p ON p.registry_id = t.registry_id AND p.repository = t.repository AND p.state <> 'done'
      JOIN item_target_tag g ON g.item_target_id = p.id AND g.tag = n.tag
    WHERE t.id = ANY(${[...ids]}::uuid[]) LIMIT 1`;
  if (written === undefined) return;
  const { repository, tag, promotion_id: promotion } = written;
  throw refused('tag-in-promotion', `promotion ${promotion} is about to write ${repository}:${tag}: wait for its end, or cancel it`);
}

/**
 * What it needs may still be there, and is not brought back then: runs that have marked it spare it, and until the restore ends none
 * marks it. Until the end of the transaction no deletion begins at the registry.
 */
async function keepForRestore(
  tables: Tables,
  { id, registryId, ids }: { readonly id: string; readonly registryId: string; readonly ids: readonly string[] },
): Promise<void> {
  await lockForDeletion(tables, registryId);
  const open = Prisma.sql`m.registry_id = ${registryId}::uuid AND m.settled_at IS NULL AND (m.repository, m.digest) IN (
    SELECT t.repository, l.digest FROM retention_trash t JOIN retention_trash_link l ON l.trash_id = t.id AND l.kind = 'holds'
    WHERE t.id = ANY(${[...ids]}::uuid[]))`;
  const marks = await tables.$queryRaw<{ repository: string; digest: Uint8Array; state: string; run_id: string }[]>`
    SELECT m.repository, m.digest, m.state, m.run_id FROM retention_mark m WHERE ${open} ORDER BY m.registry_id, m.repository, m.digest FOR UPDATE`;
  const going = marks.find(({ state }) => state === 'deleting');
  if (going !== undefined) {
    throw refused('being-deleted', `run ${going.run_id} is deleting ${digestFromBytes(going.digest)} from ${going.repository}`);
  }
  const reason = { code: 'being-restored', message: `restore ${id} needs it` };
  await tables.$executeRaw`
    UPDATE retention_mark m SET state = 'spared', settled_at = now(), error = ${storableJson(reason)}::jsonb WHERE ${open}`;
}

function refused(code: 'not-in-trash' | 'restore-unfinished' | 'tag-in-promotion' | 'being-deleted', message: string): RetentionRefusal {
  return new RetentionRefusal(message, { code, operation: 'restore' });
}
