import { type ManifestFacts, manifestsBeneath } from '@waybill/inventory';
import { type Descriptor, type Digest, digestToBytes } from '@waybill/oci-model';
import type { Tables } from '../database.js';
import { storableJson } from '../registry-checks/storable-json.js';
import type { CrawlLease } from './crawl-lease.js';
import type { LookedAt } from './repository-records.js';

/** A repository, and which look saw it. */
export type SeenRepository = Pick<LookedAt, 'registryId' | 'repository' | 'repositoryId'> & { readonly lease: Pick<CrawlLease, 'crawlId'> };

/** What can be searched for: the rest is in the bytes. In characters. */
const searchable = { annotations: 64, key: 256, value: 512 } as const;

/**
 * Keeps facts of manifests that were read in the repository, what is beneath them, and that they are there. Rows are
 * written in the order of digests, as by every other writer, so that none waits for another in a circle.
 */
export async function keepManifests(tables: Tables, at: SeenRepository, manifests: readonly ManifestFacts[]): Promise<void> {
  const facts = [...manifests].sort((one, other) => (one.manifest.digest < other.manifest.digest ? -1 : 1));
  await keepContent(tables, facts);
  await keepFacts(tables, facts);
  await keepEdges(tables, facts);
  await keepAnnotations(tables, facts);
  await keepPlaces(
    tables,
    at,
    facts.map(({ manifest }) => manifest.digest),
  );
}

/** Keeps that manifests are in the repository. */
export async function keepPlaces(tables: Tables, at: SeenRepository, digests: readonly Digest[]): Promise<void> {
  const { registryId, repository, repositoryId, lease } = at;
  const sorted = [...digests].sort().map(digestToBytes);
  await tables.$executeRaw`
    INSERT INTO placement (registry_id, repository, digest, seen_by)
    SELECT ${registryId}::uuid, ${repository}, d.digest, ${lease.crawlId}::uuid FROM unnest(${sorted}::bytea[]) AS d (digest)
    ON CONFLICT (registry_id, repository, digest) WHERE seen_until IS NULL DO UPDATE SET epoch = excluded.epoch
      WHERE placement.epoch < excluded.epoch`;
  await tables.$executeRaw`DELETE FROM unreadable_manifest WHERE repository_id = ${repositoryId} AND digest = ANY(${sorted}::bytea[])`;
}

/** Bytes that were read say better what they are than a descriptor of them. */
async function keepContent(tables: Tables, facts: readonly ManifestFacts[]): Promise<void> {
  const named = facts.flatMap(({ children, subject }) => [...children, ...(subject === undefined ? [] : [subject])]);
  const read = facts.map(({ manifest }) => ({
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    size: manifest.bytes.byteLength,
  }));
  const content = columnsOf([...new Map([...named, ...read].map((one) => [one.digest, one])).values()].sort(byDigest));
  await tables.$executeRaw`
    INSERT INTO content (digest, media_type, size)
    SELECT * FROM unnest(${content.digests}::bytea[], ${content.mediaTypes}::text[], ${content.sizes}::bigint[])
    ON CONFLICT DO NOTHING`;
  const truth = columnsOf(read);
  await tables.$executeRaw`
    UPDATE content c SET media_type = r.media_type, size = r.size
    FROM unnest(${truth.digests}::bytea[], ${truth.mediaTypes}::text[], ${truth.sizes}::bigint[]) AS r (digest, media_type, size)
    WHERE c.digest = r.digest AND (c.media_type, c.size) IS DISTINCT FROM (r.media_type, r.size)`;
}

/** What was read stays; only the config of an image may be read later than its manifest. */
async function keepFacts(tables: Tables, facts: readonly ManifestFacts[]): Promise<void> {
  const rows = facts.map((fact, position) => ({
    position: position + 1,
    media_type: fact.manifest.mediaType,
    is_index: fact.isIndex,
    artifact_type: fact.artifactType,
    config_media_type: fact.config?.mediaType,
    config_digest: hexOf(fact.config?.digest),
    created_at: fact.created.at,
    created_problem: fact.created.problem,
    platforms: fact.platforms,
    annotations: fact.annotations,
    gaps: fact.gaps,
    children: manifestsBeneath(fact).map(({ digest }) => hexOf(digest)),
    blobs: packed(fact.blobs),
    subject: hexOf(fact.subject?.digest),
    blob_bytes: fact.blobBytes,
    unreadable: fact.unreadable,
  }));
  const digests = facts.map(({ manifest }) => digestToBytes(manifest.digest));
  const raw = facts.map(({ manifest }) => Uint8Array.from(manifest.bytes));
  await tables.$executeRaw`
    INSERT INTO manifest (digest, media_type, is_index, artifact_type, config_media_type, config_digest, created_at, created_problem,
      platforms, annotations, gaps, subject, children, blobs, blob_bytes, raw, unreadable)
    SELECT b.digest, f.media_type, f.is_index, f.artifact_type, f.config_media_type, decode(f.config_digest, 'hex'), f.created_at, f.created_problem,
      f.platforms, f.annotations, f.gaps, decode(f.subject, 'hex'),
      ARRAY(SELECT decode(c.hash, 'hex') FROM jsonb_array_elements_text(f.children) AS c (hash)), decode(f.blobs, 'hex'), f.blob_bytes, b.raw, f.unreadable
    FROM unnest(${digests}::bytea[], ${raw}::bytea[]) WITH ORDINALITY AS b (digest, raw, position)
      JOIN jsonb_to_recordset(${storableJson(rows)}::jsonb) AS f (position bigint, media_type text, is_index boolean, artifact_type text,
        config_media_type text, config_digest text, created_at timestamptz, created_problem text, platforms jsonb, annotations jsonb,
        gaps jsonb, subject text, children jsonb, blobs text, blob_bytes bigint, unreadable text) USING (position)
    ORDER BY b.position
    ON CONFLICT (digest) DO UPDATE
      SET created_at = excluded.created_at, created_problem = excluded.created_problem, platforms = excluded.platforms,
        gaps = excluded.gaps
      WHERE manifest.created_problem = 'unread' AND excluded.created_problem IS DISTINCT FROM 'unread'`;
}

async function keepEdges(tables: Tables, facts: readonly ManifestFacts[]): Promise<void> {
  const edges = facts.flatMap(({ manifest, children, subject }) => [
    ...children.map(({ digest }) => ({ parent: manifest.digest, child: digest, kind: 'child' })),
    ...(subject === undefined ? [] : [{ parent: manifest.digest, child: subject.digest, kind: 'subject' }]),
  ]);
  await tables.$executeRaw`
    INSERT INTO content_edge (parent, child, kind)
    SELECT * FROM unnest(${edges.map(({ parent }) => digestToBytes(parent))}::bytea[], ${edges.map(({ child }) => digestToBytes(child))}::bytea[],
      ${edges.map(({ kind }) => kind)}::text[]) AS e (parent, child, kind)
    ORDER BY e.parent, e.child, e.kind
    ON CONFLICT DO NOTHING`;
}

async function keepAnnotations(tables: Tables, facts: readonly ManifestFacts[]): Promise<void> {
  const rows = facts.flatMap(({ manifest, annotations }) =>
    Object.entries(annotations)
      .filter(([key, value]) => key.length <= searchable.key && value.length <= searchable.value)
      .slice(0, searchable.annotations)
      .map(([key, value]) => ({ key, value, digest: hexOf(manifest.digest) })),
  );
  if (rows.length === 0) return;
  await tables.$executeRaw`
    INSERT INTO manifest_annotation (key, value, digest)
    SELECT a.key, a.value, decode(a.digest, 'hex')
    FROM jsonb_to_recordset(${storableJson(rows)}::jsonb) AS a (key text, value text, digest text)
    ORDER BY a.key, a.value, a.digest
    ON CONFLICT DO NOTHING`;
}

/** Of each the first eight bytes of its digest and its size as a bigint, in the order of digests. */
function packed(blobs: readonly Descriptor[]): string {
  const sorted = blobs
    .map(({ digest, size }) => ({ hash: hexOf(digest) ?? '', size }))
    .sort((one, other) => (one.hash < other.hash ? -1 : 1));
  return sorted.map(({ hash, size }) => hash.slice(0, 16) + size.toString(16).padStart(16, '0')).join('');
}

function columnsOf(descriptors: readonly Pick<Descriptor, 'digest' | 'mediaType' | 'size'>[]) {
  return {
    digests: descriptors.map(({ digest }) => digestToBytes(digest)),
    mediaTypes: descriptors.map(({ mediaType }) => mediaType),
    sizes: descriptors.map(({ size }) => BigInt(size)),
  };
}

function byDigest(one: { readonly digest: Digest }, other: { readonly digest: Digest }): number {
  return one.digest < other.digest ? -1 : 1;
}

function hexOf(digest: Digest | undefined): string | undefined {
  return digest === undefined ? undefined : Buffer.from(digestToBytes(digest)).toString('hex');
}
