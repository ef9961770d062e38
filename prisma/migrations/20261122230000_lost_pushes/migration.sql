-- Pushes that are lost with what a run of retention deletes, as far as registries tell of them.

-- Since when the repository is read again and deleted from: what was told before then, the run has seen.
ALTER TABLE retention_run_repository ADD COLUMN deleting_at timestamptz;

-- Tags that were told to be written on what the run was deleting or had deleted, and named nothing when they were asked for.
ALTER TABLE retention_mark ADD COLUMN told_tags text[] NOT NULL DEFAULT '{}';
CREATE INDEX retention_mark_deleted_idx ON retention_mark (registry_id, repository, digest) WHERE state IN ('deleting', 'deleted');

-- What a tag was told to name last.
ALTER TABLE notification_hint ADD COLUMN digest bytea;
