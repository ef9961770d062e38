import { manifestMediaTypes } from '@waybill/oci-model';
import type { SnapshotBlob } from '@waybill/retention';
import type { Tables } from '../database.js';
import { Prisma } from '../generated/client.js';
import { digestSql } from './digest-sql.js';
import { isPlacedAt, type Place } from './load-manifests.js';

/** What is beneath a manifest. */
export interface Beneath {
  readonly blobs: readonly SnapshotBlob[];
  readonly children: readonly string[];
}

/**
 * What the repository's manifests name, by digest. A blob that several of them name is one object here: most bytes of a repository
 * stand under many names.
 */
export async function loadEdges(tables: Tables, place: Place): Promise<ReadonlyMap<string, Beneath>> {
  const rows = await tables.$queryRaw<EdgeRow[]>`
    SELECT ${digestSql('e.parent')} AS parent,
      string_agg(${digestSql('c.digest')} || ' ' || c.size, ',') FILTER (WHERE NOT (m.is_index AND ${isManifest})) AS blobs,
      string_agg(${digestSql('c.digest')}, ',') FILTER (WHERE m.is_index AND ${isManifest}) AS children
    FROM placement p JOIN manifest m ON m.digest = p.digest
      JOIN content_edge e ON e.parent = p.digest AND e.kind = 'child' JOIN content c ON c.digest = e.child
    WHERE ${isPlacedAt(place)} GROUP BY e.parent`;
  const known = new Map<string, SnapshotBlob>();
  return new Map(
    rows.map(({ parent, blobs, children }) => [
      parent,
      { blobs: partsOf(blobs).map((text) => blobOf(known, text)), children: partsOf(children) },
    ]),
  );
}

interface EdgeRow {
  readonly parent: string;
  readonly blobs: string | null;
  readonly children: string | null;
}

function partsOf(list: string | null): readonly string[] {
  return list === null ? [] : list.split(',');
}

function blobOf(known: Map<string, SnapshotBlob>, text: string): SnapshotBlob {
  const seen = known.get(text);
  if (seen !== undefined) return seen;
  const space = text.indexOf(' ');
  const blob = { digest: text.slice(0, space), size: Number(text.slice(space + 1)) };
  known.set(text, blob);
  return blob;
}

const isManifest = Prisma.sql`c.media_type = ANY(${[...manifestMediaTypes]}::text[])`;
