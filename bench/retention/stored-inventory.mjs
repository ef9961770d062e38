// The inventory of one registry in PostgreSQL as full crawls would have left it: builds of images for two platforms with an attestation
// each and a signature, beneath indexes; layers that all images of a team share, that all builds share, and one that each build has.
// One repository holds a tenth of everything, the others some hundreds of manifests.
import pg from 'pg';

/** An index, two images, two attestations, a signature. */
const manifestsEach = 6;
const buildsEach = 80;
const index = 'application/vnd.oci.image.index.v1+json';
const image = 'application/vnd.oci.image.manifest.v1+json';
const imageConfig = 'application/vnd.oci.image.config.v1+json';
const layer = 'application/vnd.oci.image.layer.v1.tar+gzip';
const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));

/** Part of a build, with the blobs that it names itself: those of a team, of a repository, and its own. */
const parts = [
  { part: 'index', type: index, isIndex: true, platforms: [amd64, arm64], blobs: [] },
  { part: 'amd64', type: image, platforms: [amd64], blobs: ['team 1', 'team 2', 'repository 1', 'own 1', 'own 2'] },
  { part: 'arm64', type: image, platforms: [arm64], blobs: ['team 3', 'team 4', 'repository 2', 'own 3', 'own 4'] },
  { part: 'att amd64', type: image, artifactType: 'application/vnd.in-toto+json', blobs: ['own 5', 'own 6'] },
  { part: 'att arm64', type: image, artifactType: 'application/vnd.in-toto+json', blobs: ['own 7', 'own 8'] },
  {
    ...{ part: 'sig', type: image, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json', subject: 'index' },
    blobs: ['team 0', 'own 9'],
  },
];

/** Needs a superuser: rows of a million manifests are written without asking for each reference. */
export async function storeInventory(adminUrl, registryId, manifests) {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const run = (text, values) => client.query(text, values);
  try {
    await run('SET session_replication_role = replica');
    await run(`CREATE TEMP TABLE build AS
      SELECT number, CASE WHEN number % 10 = 0 THEN 'big/app' ELSE 'team-' || (number / ${buildsEach}) % 20 || '/app-' || number / ${buildsEach} END AS repository,
        CASE WHEN number % 10 = 0 THEN 'big' ELSE 'team-' || (number / ${buildsEach}) % 20 END AS team,
        CASE WHEN number % 10 = 0 THEN number / 10 ELSE number % ${buildsEach} END AS build,
        now() - interval '1 day' - (number % ${buildsEach}) * interval '5 days' AS at
      FROM generate_series(0, ${Math.ceil(manifests / manifestsEach) - 1}) AS number`);
    await run(
      'CREATE TEMP TABLE part AS SELECT * FROM jsonb_to_recordset($1) AS p (part text, type text, "isIndex" boolean, platforms jsonb, "artifactType" text, subject text, blobs jsonb)',
      [JSON.stringify(parts)],
    );
    await run(
      `CREATE FUNCTION pg_temp.digest_of(name text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(('${manifests} ' || name)::bytea) $$`,
    );
    await run(`CREATE TEMP TABLE made AS
      SELECT b.number, b.repository, b.team, b.build, b.at, p.*, pg_temp.digest_of(b.number || ' ' || p.part) AS digest
      FROM build b CROSS JOIN part p ORDER BY b.repository, b.number`);
    await run(`CREATE TEMP TABLE beneath AS
      SELECT m.digest AS parent, pg_temp.digest_of(CASE split_part(b.name, ' ', 1) WHEN 'team' THEN m.team WHEN 'repository' THEN m.repository ELSE m.number::text END || ' ' || b.name) AS child,
        (2000 + 7919 * (m.number % 1000))::bigint AS size
      FROM made m, jsonb_array_elements_text(m.blobs) AS b (name)`);
    await run('ANALYZE made, beneath');
    await run(`INSERT INTO content (digest, media_type, size) SELECT digest, type, 1200 FROM made`);
    await run(`INSERT INTO content (digest, media_type, size) SELECT child, '${layer}', min(size) FROM beneath GROUP BY child`);
    await run(`INSERT INTO content_edge (parent, child, kind) SELECT parent, child, 'child' FROM beneath
      UNION ALL SELECT i.digest, m.digest, 'child' FROM made i JOIN made m ON m.number = i.number AND m.part IN ('amd64', 'arm64', 'att amd64', 'att arm64') WHERE i.part = 'index'
      UNION ALL SELECT m.digest, i.digest, 'subject' FROM made m JOIN made i ON i.number = m.number AND i.part = m.subject`);
    await run(`INSERT INTO manifest (digest, media_type, is_index, artifact_type, config_media_type, created_at, platforms, annotations, subject, children, blobs, raw)
      SELECT m.digest, m.type, coalesce(m."isIndex", false), m."artifactType", CASE WHEN m."isIndex" THEN NULL ELSE '${imageConfig}' END, m.at,
        coalesce(m.platforms, '[]'), jsonb_build_object('org.opencontainers.image.vendor', 'example', 'org.opencontainers.image.revision', md5(m.number::text)),
        CASE WHEN m.subject IS NOT NULL THEN pg_temp.digest_of(m.number || ' ' || m.subject) END,
        CASE WHEN m."isIndex" THEN ARRAY(SELECT pg_temp.digest_of(m.number || ' ' || p.part) FROM part p WHERE p.part ~ 'md64|rm64') ELSE '{}' END,
        coalesce(b.blobs, ''), convert_to(repeat(md5(m.part || m.number), 37), 'UTF8')
      FROM made m LEFT JOIN (
        SELECT b.parent, string_agg(substr(c.digest, 1, 8) || int8send(c.size), ''::bytea) AS blobs FROM beneath b JOIN content c ON c.digest = b.child GROUP BY b.parent
      ) b ON b.parent = m.digest ORDER BY m.repository, m.number`);
    await run(
      `INSERT INTO placement (registry_id, repository, digest, seen_from, seen_by, pushed_at, pushed_at_source)
      SELECT $1, repository, digest, at, gen_random_uuid(), at, 'notification' FROM made ORDER BY repository, digest`,
      [registryId],
    );
    await run(
      `INSERT INTO repository (registry_id, name, last_full_crawl_started_at, last_full_crawl_at, manifest_count)
      SELECT $1, repository, now(), now(), count(*) FROM made GROUP BY repository`,
      [registryId],
    );
    const tags = `SELECT repository, 'br-' || build % 40 || '-b' || build AS tag, digest, at FROM made WHERE part = 'index' AND build % 10 <> 9
      UNION ALL SELECT repository, 'v1.' || build % 7 || '.' || build, digest, at FROM made WHERE part = 'index' AND build % 5 = 0`;
    await run(
      `INSERT INTO tag_event (registry_id, repository, tag, digest, source, observed_at) SELECT $1, repository, tag, digest, 'notification', at FROM (${tags}) t`,
      [registryId],
    );
    await run(
      `INSERT INTO tag (repository_id, name, digest, is_reserved, tagged_at, tagged_at_source)
      SELECT r.id, t.tag, t.digest, false, t.at, 'notification' FROM (${tags}) t JOIN repository r ON r.registry_id = $1 AND r.name = t.repository`,
      [registryId],
    );
    // Every pull is known, and there was none: what is old goes by its age.
    await run(
      `INSERT INTO notification_feed (registry_id, location, silence, heard_at, known_since, gap_at)
      VALUES ($1, 'eu', '1 day', now(), now() - interval '900 days', now() - interval '901 days')`,
      [registryId],
    );
    await run('SET session_replication_role = origin');
    await run('VACUUM (ANALYZE) content, content_edge, manifest, placement, repository, tag, tag_event');
  } finally {
    await client.end();
  }
}
