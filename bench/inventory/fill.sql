-- An inventory of :rows rows of everything that is listed; as the superuser, without triggers and checks of references.
SET session_replication_role = replica;
CREATE TEMPORARY TABLE seed AS
  SELECT n, sha256(n::text::bytea) AS digest, sha256(('blob ' || n)::bytea) AS blob FROM generate_series(1, :rows) AS n;
INSERT INTO registry (id, name, role, identity, first_revision) VALUES ('00000000-0000-7000-8000-000000000001', 'large', 'prod', 'large', 1);
-- Many repositories of one tag, and one of very many.
INSERT INTO repository (id, registry_id, name)
  SELECT n, '00000000-0000-7000-8000-000000000001'::uuid, 'team-' || lpad((n % 1000)::text, 4, '0') || '/app-' || n FROM seed
  UNION ALL SELECT :rows + 1, '00000000-0000-7000-8000-000000000001'::uuid, 'large/app';
INSERT INTO tag (repository_id, name, digest, is_reserved, tagged_at, tagged_at_source)
  SELECT n, 'latest', digest, false, now(), 'crawl' FROM seed
  UNION ALL SELECT :rows + 1, 'v' || n, digest, false, now(), 'crawl' FROM seed
  UNION ALL SELECT :rows + 1, 'sha256-' || encode(digest, 'hex') || '.sig', digest, true, now(), 'crawl' FROM seed WHERE n % 10 = 0;
INSERT INTO tag_event (registry_id, repository, tag, digest, source)
  SELECT '00000000-0000-7000-8000-000000000001'::uuid, 'large/app', 'main', digest, 'crawl' FROM seed;
INSERT INTO content (digest, media_type, size)
  SELECT digest, 'application/vnd.oci.image.manifest.v1+json', 500 FROM seed
  UNION ALL SELECT blob, 'application/vnd.oci.image.layer.v1.tar+gzip', 5000 FROM seed
  UNION ALL SELECT sha256('base'), 'application/vnd.oci.image.layer.v1.tar+gzip', 90000;
INSERT INTO content_edge (parent, child, kind)
  SELECT digest, blob, 'child' FROM seed UNION ALL SELECT digest, sha256('base'), 'child' FROM seed
  UNION ALL SELECT digest, sha256('1'), 'subject' FROM seed WHERE n > 1;
INSERT INTO manifest (digest, media_type, is_index, created_at, platforms, annotations, raw, blob_bytes)
  SELECT digest, 'application/vnd.oci.image.manifest.v1+json', false, now(), '[{"os":"linux","architecture":"amd64"}]', '{"team":"a"}', 'raw', 95000 FROM seed;
INSERT INTO manifest_annotation (key, value, digest)
  SELECT 'team', 'a', digest FROM seed UNION ALL SELECT 'build', n::text, digest FROM seed;
INSERT INTO placement (registry_id, repository, digest, seen_by)
  SELECT '00000000-0000-7000-8000-000000000001'::uuid, 'large/app', digest, gen_random_uuid() FROM seed
  UNION ALL SELECT '00000000-0000-7000-8000-000000000001'::uuid, 'large/app', blob, gen_random_uuid() FROM seed
  UNION ALL SELECT '00000000-0000-7000-8000-000000000001'::uuid, 'team-' || lpad((n % 1000)::text, 4, '0') || '/app-' || n, digest, gen_random_uuid() FROM seed;
INSERT INTO unreadable_manifest (repository_id, digest, problem) SELECT :rows + 1, blob, '{"code":"x","message":"x"}' FROM seed WHERE n % 10 = 0;
INSERT INTO crawl (id, registry_id, location, kind, state, started_at, finished_at)
  SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '00000000-0000-7000-8000-000000000001'::uuid, 'eu', 'full',
    CASE WHEN n = :rows THEN 'queued' ELSE 'complete' END, now(), CASE WHEN n < :rows THEN now() END FROM seed;
INSERT INTO crawl_repository (crawl_id, repository_id, is_listed)
  SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(:rows), 12, '0'))::uuid, n, true FROM seed;
ANALYZE;
