-- When an effect that was left open is read back next, and how often that was begun in vain. Until its target has ended, the run there sees to it.
ALTER TABLE effect
  ADD COLUMN read_due_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN read_attempts integer NOT NULL DEFAULT 0;
CREATE INDEX effect_read_due_idx ON effect (read_due_at) WHERE state = 'intended';

-- Work and leases that are not over: what is over is not in these indexes, so that looking through them does not grow with history.
CREATE INDEX item_target_unfinished_idx ON item_target (promotion_id, location) WHERE state <> 'done';
CREATE INDEX tag_order_lease_idx ON tag_order (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
