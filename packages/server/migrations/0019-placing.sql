-- What choosing a controller goes by: which images ran where, what has begun there and is not in its capacity yet, and why one was chosen.
ALTER TABLE controllers ADD COLUMN capacity_at timestamptz;
UPDATE controllers SET capacity_at = last_seen_at WHERE capacity IS NOT NULL;

ALTER TABLE instances
  -- what its image is made of, as controllers name it, or somebody else's reference; null: begun by an older release
  ADD COLUMN image text,
  -- when any generation of it was last seen to have begun running
  ADD COLUMN ran_at timestamptz,
  -- why it is where it is
  ADD COLUMN placed jsonb;
CREATE INDEX instances_by_image ON instances (image) WHERE image IS NOT NULL;

-- What an organisation must not see, but its instances must be placed by: sums over those of everybody. Running counts until the
-- first capacity that was told afterwards.
CREATE FUNCTION kalnet_starting(wanted uuid[])
  RETURNS TABLE (controller_id uuid, elsewhere boolean, instances integer, memory_bytes double precision, cpus double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT i.controller_id, i.platform = 'kubernetes', count(*)::integer,
      sum((i.spec->'resources'->>'memoryBytes')::double precision), sum((i.spec->'resources'->>'cpus')::double precision)
    FROM instances i JOIN controllers c ON c.id = i.controller_id
    WHERE i.controller_id = any(wanted) AND i.desired_state = 'running' AND (i.observed IS NULL
      OR i.observed->>'state' IN ('preparing', 'creating')
      OR (i.observed->>'state' = 'running' AND i.ran_at >= coalesce(c.capacity_at, '-infinity')))
    GROUP BY 1, 2
  $$;
CREATE FUNCTION kalnet_ran(wanted text) RETURNS TABLE (controller_id uuid, platform text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$ SELECT DISTINCT i.controller_id, i.platform FROM instances i WHERE i.image = wanted AND i.ran_at IS NOT NULL $$;

-- Those that choose at once choose one after the other, until each is committed, so that each sees what the one before chose. It is
-- for fairness alone: whoever waited half a second goes on without, so that no lock stands against another for long. False then.
CREATE FUNCTION kalnet_placing_turn() RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '500ms'
  AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('placing', 5));
  RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
  RETURN false;
END
$$;
REVOKE ALL ON FUNCTION kalnet_starting(uuid[]), kalnet_ran(text), kalnet_placing_turn() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kalnet_starting(uuid[]), kalnet_ran(text), kalnet_placing_turn() TO kalnet_app, kalnet_system;
