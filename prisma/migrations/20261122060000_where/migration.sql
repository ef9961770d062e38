-- To find promotions by what they are about, and artifacts by where they are.

-- What a promotion names: so a list is read by it in the order of promotions, however often their items repeat it.
CREATE TABLE promotion_term (
  kind         text NOT NULL CHECK (kind IN ('repository', 'digest', 'tag')),
  term         text NOT NULL,
  promotion_id uuid NOT NULL REFERENCES promotion (id),
  PRIMARY KEY (kind, term, promotion_id)
);

-- Written by triggers, so that no writer can forget it.
CREATE FUNCTION note_item_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO promotion_term (kind, term, promotion_id)
  SELECT 'repository', source_repository, promotion_id FROM added
  UNION SELECT 'digest', digest_text(digest), promotion_id FROM added
  UNION SELECT 'tag', source_tag, promotion_id FROM added WHERE source_tag IS NOT NULL
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER promotion_item_terms AFTER INSERT ON promotion_item
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_item_terms();

CREATE FUNCTION note_target_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO promotion_term (kind, term, promotion_id)
  SELECT DISTINCT 'repository', repository, promotion_id FROM added
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER item_target_terms AFTER INSERT ON item_target
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_target_terms();

CREATE FUNCTION note_tag_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO promotion_term (kind, term, promotion_id)
  SELECT DISTINCT 'tag', added.tag, t.promotion_id FROM added JOIN item_target t ON t.id = added.item_target_id
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER item_target_tag_terms AFTER INSERT ON item_target_tag
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_tag_terms();

INSERT INTO promotion_term (kind, term, promotion_id)
  SELECT 'repository', source_repository, promotion_id FROM promotion_item
  UNION SELECT 'digest', digest_text(digest), promotion_id FROM promotion_item
  UNION SELECT 'tag', source_tag, promotion_id FROM promotion_item WHERE source_tag IS NOT NULL
  UNION SELECT 'repository', repository, promotion_id FROM item_target
  UNION SELECT 'tag', g.tag, t.promotion_id FROM item_target_tag g JOIN item_target t ON t.id = g.item_target_id;

-- Ids sort by the time they were made, so each of these is read from its end.
CREATE INDEX promotion_state_id_idx ON promotion (state, id);
CREATE INDEX promotion_path_id_idx ON promotion (path, id);
CREATE INDEX promotion_path_state_id_idx ON promotion (path, state, id);
CREATE INDEX promotion_requested_by_id_idx ON promotion (requested_by, id);

-- Where a digest is known to be or to have been: repository after repository, however many promotions went there.
CREATE INDEX placement_digest_registry_id_repository_idx ON placement (digest, registry_id, repository);
DROP INDEX placement_digest_idx;
CREATE INDEX effect_digest_registry_id_repository_idx ON effect (digest, registry_id, repository);
CREATE INDEX promotion_item_digest_idx
  ON promotion_item (digest, source_registry_id, source_repository, id);
-- Tags that were seen to name a digest.
CREATE INDEX tag_event_digest_registry_id_repository_id_idx ON tag_event (digest, registry_id, repository, id);
-- What a digest is part of, and what refers to it, some at a time.
CREATE INDEX content_edge_child_kind_parent_idx ON content_edge (child, kind, parent);
DROP INDEX content_edge_child_idx;
