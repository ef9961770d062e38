-- Repositories that promotions come from are known of, one step in this index for each: where a registry has no catalogue, nothing else names them.
CREATE INDEX promotion_item_source_idx ON promotion_item (source_registry_id, source_repository);
