-- What promotions brought to a repository, for the plan of what it keeps.
CREATE INDEX item_target_registry_id_repository_idx ON item_target (registry_id, repository);
