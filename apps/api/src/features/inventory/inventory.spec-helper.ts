import { Database } from '@waybill/persistence';
import type { ApiUnderTest } from '../../api-under-test.spec-helper.js';

const topology = `apiVersion: waybill/v1
kind: Topology
metadata: { name: spec }
locations: { eu: {} }
registries:
  ci: { role: ci-snapshots, local: true, location: eu }
  prod: { role: prod, local: true, location: eu }
  docker-hub: { role: upstream, url: "https://registry-1.docker.io" }
paths: {}
`;

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

/** What crawls would have left: names of manifests are what is hashed to their digests. */
const seed = `
  INSERT INTO repository (registry_id, name, state, problem, suspect_since, gone_at, last_listed_at, last_full_crawl_at,
    last_full_crawl_started_at, tag_count, manifest_count)
  SELECT r.id, v.name, v.state, v.problem::jsonb, CASE v.state WHEN 'suspect' THEN now() END, CASE v.state WHEN 'gone' THEN now() END,
    '2026-05-01T10:00:00Z', '2026-05-01T10:01:00Z', '2026-05-01T10:00:00Z', 3, 3
  FROM registry r, (VALUES
    ('team-a/app', 'known', NULL), ('team-a/tags', 'known', NULL), ('team-b/app', 'suspect', NULL), ('team-c/app', 'gone', NULL),
    ('team-d/app', 'unreadable', '{"code":"unauthorized","message":"the registry refuses our key"}')) AS v (name, state, problem)
  WHERE r.name = 'ci';
  INSERT INTO content (digest, media_type, size) VALUES
    (sha256('index'), '${indexType}', 700), (sha256('image'), '${manifestType}', 500), (sha256('sig'), '${manifestType}', 300),
    (sha256('unread'), '${manifestType}', 200), (sha256('layer'), 'application/vnd.oci.image.layer.v1.tar+gzip', 9000);
  INSERT INTO manifest (digest, media_type, is_index, artifact_type, created_at, platforms, annotations, subject, raw, blob_bytes) VALUES
    (sha256('index'), '${indexType}', true, NULL, '2026-04-01T00:00:00Z', '[{"os":"linux","architecture":"arm","variant":"v7"}]', '{"team":"a"}', NULL, 'index', 0),
    (sha256('image'), '${manifestType}', false, NULL, '2026-04-01T00:00:00Z', '[{"os":"linux","architecture":"amd64"}]', '{}', NULL, 'image', 9000),
    (sha256('sig'), '${manifestType}', false, 'application/example.sig', '2026-04-02T00:00:00Z', '[]', '{}', sha256('index'), 'sig', 0);
  INSERT INTO placement (registry_id, repository, digest, seen_from, seen_by, pushed_at, pushed_at_source, last_pulled_at)
    SELECT r.id, 'team-a/app', sha256(v.name::bytea), v.seen::timestamptz, gen_random_uuid(), '2026-04-30T09:00:00Z', 'notification', '2026-05-02T00:00:00Z'
    FROM registry r, (VALUES ('index', '2026-04-30'), ('image', '2026-04-30'), ('sig', '2026-06-01'), ('unread', '2026-04-30'), ('layer', '2026-04-30')) AS v (name, seen)
    WHERE r.name = 'ci';
  INSERT INTO tag_event (registry_id, repository, tag, digest, previous_digest, source, observed_at)
    SELECT r.id, 'team-a/app', v.tag, sha256(v.digest::bytea), sha256(v.before::bytea), 'crawl', v.at::timestamptz
    FROM registry r, (VALUES
      ('1.0.0', 'image', NULL, '2026-04-29'), ('1.0.0', 'index', 'image', '2026-04-30'), ('1.1.0', 'index', NULL, '2026-04-30'), ('Old', 'image', NULL, '2026-04-29'),
      ('Old', NULL, 'image', '2026-04-30'), ('sha256-' || encode(sha256('index'), 'hex') || '.sig', 'sig', NULL, '2026-05-01')) AS v (tag, digest, before, at)
    WHERE r.name = 'ci';
  INSERT INTO content_edge (parent, child, kind) VALUES (sha256('sig'), sha256('index'), 'subject'), (sha256('sig'), sha256('index'), 'reserved-tag'),
    (sha256('index'), sha256('image'), 'child'), (sha256('image'), sha256('layer'), 'child'), (sha256('unread'), sha256('layer'), 'child');
  INSERT INTO manifest_annotation (key, value, digest) VALUES ('team', 'a', sha256('index'));
  INSERT INTO unreadable_manifest (repository_id, digest, problem)
    SELECT id, sha256('lost'), '{"code":"not-found","message":"the registry has no such manifest"}' FROM repository WHERE name = 'team-a/app'`;

/** Applies a topology of `ci`, `prod` and `docker-hub`, and writes what crawls of `ci` would have. */
export async function seedInventory(api: ApiUnderTest): Promise<void> {
  await api.send('PUT', '/api/v1/topology', { body: { source: topology } });
  for (const statement of seed.split(';\n')) await api.app.get(Database).tables.$executeRawUnsafe(statement);
}
