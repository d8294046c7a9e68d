-- What an outsider last said of its service: said again it is a heartbeat, and what people changed since stays as they want it.
ALTER TABLE registrations ADD COLUMN said jsonb NOT NULL DEFAULT '{}';
