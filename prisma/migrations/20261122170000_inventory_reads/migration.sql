-- To read the inventory page by page. Names are in the order of their bytes, whatever the database's collation: so a prefix is a range.

-- Repositories of one registry, and of all; those that are gone too, which says what became of them.
CREATE INDEX repository_registry_id_name_idx ON repository (registry_id, name COLLATE "C");
DROP INDEX repository_name_idx;
CREATE INDEX repository_name_registry_id_idx ON repository (name COLLATE "C", registry_id);

-- Tags of one repository, reserved ones apart, and of all.
CREATE INDEX tag_repository_id_name_idx ON tag (repository_id, is_reserved, name COLLATE "C") WHERE gone_at IS NULL;
DROP INDEX tag_name_idx;
CREATE INDEX tag_name_idx ON tag (name COLLATE "C", repository_id) WHERE gone_at IS NULL AND NOT is_reserved;

-- Since when a repository is known, suspect, unreadable or gone.
ALTER TABLE repository ADD COLUMN state_since timestamptz NOT NULL DEFAULT now();
UPDATE repository SET state_since = coalesce(gone_at, suspect_since, last_listed_at, first_seen_at);

-- Written by a trigger, so that no writer can forget it.
CREATE FUNCTION note_repository_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.state_since = coalesce(NEW.gone_at, NEW.suspect_since, now());
  RETURN NEW;
END $$;
CREATE TRIGGER repository_state_since BEFORE UPDATE OF state ON repository
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION note_repository_state();
