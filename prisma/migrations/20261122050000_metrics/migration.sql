-- What is open is counted at each scrape; what is over is not in these indexes, so that counting does not grow with history.
CREATE INDEX promotion_open_idx ON promotion (path, state) WHERE finished_at IS NULL;
CREATE INDEX dispatch_queued_idx ON dispatch (location, queued_at) WHERE state = 'queued';
