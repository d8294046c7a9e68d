-- The last release lives on until nothing is open there any more, and no longer than this.
ALTER TABLE services ADD COLUMN finish_by timestamptz;
-- when a gateway last said that something is open there, though it gets nothing new
ALTER TABLE service_instances ADD COLUMN busy_at timestamptz;
