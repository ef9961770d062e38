-- When what a purge deleted was known to be gone, in the order of events: as of what runs delete.
ALTER TABLE retention_request_item ADD COLUMN deleted_order bigint;
CREATE INDEX retention_request_item_deleted_order_idx ON retention_request_item (deleted_order) WHERE deleted_order IS NOT NULL;
