-- What choosing a controller goes by: which images ran where, what has begun there and is not in its capacity yet, and why one was chosen.
ALTER TABLE controllers ADD COLUMN capacity_at timestamptz;
UPDATE controllers SET capacity_at = last_seen_at WHERE capacity IS NOT NULL;

ALTER TABLE instances
  -- what its image is made of, as controllers name it, or somebody else's reference; null: begun by an older release
  ADD COLUMN image text,
  -- when any generation of it was last seen to have begun running
  ADD COLUMN ran_at timestamptz,
  -- what it may use counts until its controller tells its capacity after this: infinity while it starts, then when it began to run
  ADD COLUMN counts_until timestamptz NOT NULL DEFAULT '-infinity',
  -- why it is where it is
  ADD COLUMN placed jsonb;
CREATE INDEX instances_by_image ON instances (image) WHERE image IS NOT NULL;
CREATE INDEX instances_counting ON instances (controller_id, counts_until);

-- What an organisation must not see, but its instances must be placed by: sums over those of everybody.
CREATE FUNCTION kalnet_starting(wanted uuid[])
  RETURNS TABLE (controller_id uuid, elsewhere boolean, instances integer, memory_bytes double precision, cpus double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT c.id, i.platform = 'kubernetes', count(*)::integer, sum((r.asked->>'memoryBytes')::double precision),
      sum((r.asked->>'cpus')::double precision)
    FROM controllers c
    JOIN LATERAL (SELECT platform, spec FROM instances WHERE controller_id = c.id AND counts_until > '-infinity'
      AND counts_until >= coalesce(c.capacity_at, '-infinity')) i ON true
    -- Large specs are opened once.
    CROSS JOIN LATERAL (SELECT i.spec->'resources' AS asked OFFSET 0) r
    WHERE c.id = any(wanted)
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
