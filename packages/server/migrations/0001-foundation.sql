-- Organisations, people and their sign-ins, audit, the outbox of events, secrets; each table behind row-level security.
CREATE TABLE organisations (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE users (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  -- lower-case; unique per installation
  email text NOT NULL UNIQUE,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'child', 'guest')),
  password_hash text,
  created_at timestamptz NOT NULL
);
CREATE INDEX users_by_organisation ON users (organisation_id);

CREATE TABLE sign_ins (
  -- SHA-256 of the cookie's value, hex: the value itself is nowhere
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  address text,
  user_agent text
);
CREATE INDEX sign_ins_by_user ON sign_ins (user_id);

-- One-use links that make the first owner ('claim') or give an owner a new password ('reset').
CREATE TABLE claims (
  hash text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('claim', 'reset')),
  organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);

-- Failed tries per account, address and network, so that a restart forgets nothing.
CREATE TABLE throttles (
  key text PRIMARY KEY,
  failures integer NOT NULL,
  first_at timestamptz NOT NULL,
  blocked_until timestamptz
);

CREATE TABLE audit (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  -- null: nobody was signed in, or it is about the installation
  organisation_id uuid,
  at timestamptz NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'local-cli', 'nobody')),
  user_id uuid,
  action text NOT NULL,
  -- 'done' or the code of the refusal
  outcome text NOT NULL,
  object text,
  details jsonb NOT NULL,
  address text,
  request_id text NOT NULL,
  PRIMARY KEY (xid, seq)
);
CREATE UNIQUE INDEX audit_by_id ON audit (id);
CREATE INDEX audit_by_organisation ON audit (organisation_id, xid, seq);

-- The outbox. Read in (xid, seq) order below the snapshot's xmin: seq alone loses events of concurrent writers.
CREATE TABLE events (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint GENERATED ALWAYS AS IDENTITY,
  type text NOT NULL,
  organisation_id uuid,
  user_id uuid,
  at timestamptz NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (xid, seq)
);
CREATE INDEX events_by_time ON events (at);

-- One row. The epoch is replaced by a restore; everything up to (pruned_xid, pruned_seq) is gone.
CREATE TABLE event_log (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  epoch text NOT NULL,
  pruned_xid xid8 NOT NULL DEFAULT '0',
  pruned_seq bigint NOT NULL DEFAULT 0
);
INSERT INTO event_log (epoch) VALUES (replace(gen_random_uuid()::text, '-', ''));

CREATE TABLE secrets (
  id uuid PRIMARY KEY,
  -- null: the installation's own
  organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  -- AES-256-GCM envelope, see core/secrets.ts
  envelope text NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (organisation_id, name)
);

CREATE TABLE idempotency_keys (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL,
  key_hash text NOT NULL,
  -- SHA-256 of method, address and body: the same key for something else is refused
  request_hash text NOT NULL,
  -- null between the change and its answer
  answer jsonb,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (organisation_id, user_id, key_hash)
);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);

-- The organisation a transaction acts for, or null.
CREATE FUNCTION kalnet_organisation() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('kalnet.organisation', true), '')::uuid $$;

-- Puts a table behind the wall: kalnet_app sees the rows of its organisation only, kalnet_system and migrations see all.
CREATE FUNCTION kalnet_protect(target regclass, tenant_column text DEFAULT 'organisation_id') RETURNS void LANGUAGE plpgsql
  AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant ON %s TO kalnet_app USING (%I = kalnet_organisation()) WITH CHECK (%I = kalnet_organisation())',
    target, tenant_column, tenant_column);
  EXECUTE format('CREATE POLICY installation ON %s TO kalnet_system USING (true) WITH CHECK (true)', target);
  EXECUTE format('CREATE POLICY migrations ON %s TO kalnet_owner USING (true) WITH CHECK (true)', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO kalnet_app, kalnet_system', target);
END
$$;

SELECT kalnet_protect('organisations', 'id');
SELECT kalnet_protect('users');
SELECT kalnet_protect('sign_ins');
SELECT kalnet_protect('claims');
SELECT kalnet_protect('audit');
SELECT kalnet_protect('events');
SELECT kalnet_protect('secrets');
SELECT kalnet_protect('idempotency_keys');

-- Rows of audit and of the outbox are facts: the application adds, and never changes or removes them.
REVOKE UPDATE, DELETE ON audit, events FROM kalnet_app;
REVOKE UPDATE, DELETE ON audit FROM kalnet_system;
-- What a call says about its object after its change was committed completes the row that the change wrote.
GRANT UPDATE (object, details) ON audit TO kalnet_system;
-- No tenant owns these two; the application's role has no business with them but reading the epoch.
GRANT SELECT, INSERT, UPDATE, DELETE ON throttles, event_log TO kalnet_system;
GRANT SELECT ON event_log TO kalnet_app;
