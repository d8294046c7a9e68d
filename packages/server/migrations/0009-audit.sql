-- The chain over the audit: each row is sealed once, in segments with signed heads; what is sealed never changes.

-- What a row can be found by: words of its action, object, address and the values of its details.
CREATE FUNCTION kalnet_audit_words(action text, outcome text, object text, address text, details jsonb) RETURNS tsvector
  -- Dear: the planner shall ask the index, not every row.
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000
  AS $$
    SELECT array_to_tsvector(coalesce(array_agg(DISTINCT left(word, 200)), '{}')) FROM (
      SELECT regexp_split_to_table(
        lower(concat_ws(' ', action, outcome, object, address, (SELECT string_agg(value, ' ') FROM jsonb_each_text(details)))),
        '[^[:alnum:]@.:_-]+') AS word
    ) AS words WHERE word <> ''
  $$;
CREATE INDEX audit_words ON audit USING gin (kalnet_audit_words(action, outcome, object, address, details));
CREATE INDEX audit_by_user ON audit (organisation_id, user_id, xid, seq);
CREATE INDEX audit_by_action ON audit (organisation_id, action text_pattern_ops, xid, seq);
CREATE INDEX audit_by_object ON audit (organisation_id, object, xid, seq) WHERE object IS NOT NULL;
CREATE INDEX audit_refused ON audit (organisation_id, xid, seq) WHERE outcome <> 'done';
CREATE INDEX audit_by_time ON audit (organisation_id, at) INCLUDE (xid, seq);

-- The seal of a row: its place in its organisation's chain (organisation_id null: the installation's), from 1.
CREATE TABLE audit_seals (
  organisation_id uuid,
  position bigint NOT NULL CHECK (position > 0),
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  -- the hash of the row before it; zeros for the first
  previous bytea NOT NULL CHECK (octet_length(previous) = 32),
  -- SHA-256 over the canonical form of every field (server/src/audit/canonical.ts)
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (xid, seq),
  -- No two rows at one place: a fork of a chain cannot even be written.
  UNIQUE NULLS NOT DISTINCT (organisation_id, position)
);

-- A stretch of a chain with its signed head. The last one of a chain is open until its day ends or it is full.
CREATE TABLE audit_segments (
  organisation_id uuid,
  number integer NOT NULL CHECK (number > 0),
  first_position bigint NOT NULL CHECK (first_position > 0),
  count integer NOT NULL CHECK (count > 0),
  previous bytea NOT NULL CHECK (octet_length(previous) = 32),
  last_hash bytea NOT NULL CHECK (octet_length(last_hash) = 32),
  previous_head bytea NOT NULL CHECK (octet_length(previous_head) = 32),
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  closed_at timestamptz,
  -- its rows are gone by the retention's rule; the head stays
  dropped_at timestamptz,
  -- HMAC by a key that is sealed under the master key: the database alone cannot make one
  signature bytea NOT NULL CHECK (octet_length(signature) = 32),
  UNIQUE NULLS NOT DISTINCT (organisation_id, number),
  CHECK (dropped_at IS NULL OR closed_at IS NOT NULL)
);

-- One row: which server seals, and how far it came. Each taking over counts the epoch up; the row is locked while rows are sealed.
CREATE TABLE audit_sealer (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  epoch bigint NOT NULL DEFAULT 0,
  holder uuid,
  until timestamptz NOT NULL DEFAULT '-infinity',
  sealed_xid xid8 NOT NULL DEFAULT '0',
  sealed_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO audit_sealer DEFAULT VALUES;

-- How long an organisation keeps its audit; without a row 400 days.
CREATE TABLE audit_settings (
  organisation_id uuid PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  retention_days integer NOT NULL CHECK (retention_days BETWEEN 30 AND 3650)
);

SELECT kalnet_protect('audit_seals');
SELECT kalnet_protect('audit_segments');
SELECT kalnet_protect('audit_settings');
REVOKE INSERT, UPDATE, DELETE ON audit_seals, audit_segments FROM kalnet_app;
REVOKE UPDATE, DELETE ON audit_seals FROM kalnet_system;
REVOKE DELETE ON audit_segments FROM kalnet_system;
GRANT SELECT, UPDATE ON audit_sealer TO kalnet_system;

-- A sealed row is never changed, by nobody's right; rows and seals go only with their closed segment, once its head says so.
CREATE FUNCTION kalnet_keep_audit() RETURNS trigger LANGUAGE plpgsql
  AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    RAISE EXCEPTION 'the audit is never emptied' USING ERRCODE = 'insufficient_privilege';
  ELSIF TG_OP = 'UPDATE' THEN
    IF TG_TABLE_NAME = 'audit' THEN
      -- Not while rows are being sealed: the hash would be that of the row before.
      PERFORM FROM audit_sealer FOR SHARE;
      IF NOT EXISTS (SELECT FROM audit_seals WHERE xid = OLD.xid AND seq = OLD.seq) THEN
        RETURN NEW;
      END IF;
    END IF;
    RAISE EXCEPTION 'a sealed row of the audit is never changed' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (
    SELECT FROM audit_seals AS seal JOIN audit_segments AS segment
      ON segment.organisation_id IS NOT DISTINCT FROM seal.organisation_id
    WHERE seal.xid = OLD.xid AND seal.seq = OLD.seq AND segment.dropped_at IS NOT NULL
      AND seal.position >= segment.first_position AND seal.position < segment.first_position + segment.count
  ) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'rows of the audit go only with their segment' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION kalnet_keep_audit();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit EXECUTE FUNCTION kalnet_keep_audit();
CREATE TRIGGER audit_seals_are_kept BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION kalnet_keep_audit();
CREATE TRIGGER audit_seals_are_not_emptied BEFORE TRUNCATE ON audit_seals EXECUTE FUNCTION kalnet_keep_audit();

-- A closed head says for ever what it said; it is marked as dropped once, and never before thirty days.
CREATE FUNCTION kalnet_keep_heads() RETURNS trigger LANGUAGE plpgsql
  AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.closed_at IS NULL AND NEW.dropped_at IS NULL THEN
      RETURN NEW;
    ELSIF OLD.closed_at IS NOT NULL AND OLD.dropped_at IS NULL AND NEW.dropped_at IS NOT NULL
      AND OLD.last_at < now() - interval '30 days'
      AND to_jsonb(NEW) - 'dropped_at' = to_jsonb(OLD) - 'dropped_at' THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the head of a segment of the audit is kept as it is' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_heads_are_kept BEFORE UPDATE OR DELETE ON audit_segments
  FOR EACH ROW EXECUTE FUNCTION kalnet_keep_heads();
CREATE TRIGGER audit_heads_are_not_emptied BEFORE TRUNCATE ON audit_segments EXECUTE FUNCTION kalnet_keep_heads();

-- The retention's own path, and the only one by which rows leave: one whole closed segment. How many rows went.
CREATE FUNCTION kalnet_drop_audit_segment(organisation uuid, segment integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  head audit_segments;
  gone integer;
BEGIN
  UPDATE audit_segments SET dropped_at = now()
    WHERE organisation_id IS NOT DISTINCT FROM organisation AND number = segment AND closed_at IS NOT NULL AND dropped_at IS NULL
    RETURNING * INTO head;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  DELETE FROM audit USING audit_seals AS seal
    WHERE seal.xid = audit.xid AND seal.seq = audit.seq AND seal.organisation_id IS NOT DISTINCT FROM organisation
      AND seal.position >= head.first_position AND seal.position < head.first_position + head.count;
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM audit_seals AS seal
    WHERE seal.organisation_id IS NOT DISTINCT FROM organisation
      AND seal.position >= head.first_position AND seal.position < head.first_position + head.count;
  RETURN gone;
END
$$;
REVOKE EXECUTE ON FUNCTION kalnet_drop_audit_segment(uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kalnet_drop_audit_segment(uuid, integer) TO kalnet_system;
