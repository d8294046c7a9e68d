-- What a controller told last of the cluster that it drives.
ALTER TABLE controllers ADD COLUMN cluster jsonb, ADD COLUMN cluster_at timestamptz;
