-- Controllers, instances, sessions and stream tickets.
CREATE TABLE controllers (
  id uuid PRIMARY KEY,
  -- null: belongs to the installation and serves every organisation
  organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  public_key text NOT NULL,
  hostname text,
  version text,
  online boolean NOT NULL DEFAULT false,
  last_seen_at timestamptz,
  fingerprints jsonb NOT NULL DEFAULT '[]',
  capacity jsonb,
  -- takes nothing new; what runs there runs on
  cordoned boolean NOT NULL DEFAULT false,
  labels jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL
);

CREATE TABLE enrolment_tokens (
  hash text PRIMARY KEY,
  organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE instances (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- an instance never changes its controller
  controller_id uuid NOT NULL REFERENCES controllers (id) ON DELETE CASCADE,
  platform text NOT NULL,
  generation integer NOT NULL CHECK (generation >= 1),
  desired_state text NOT NULL CHECK (desired_state IN ('running', 'stopped')),
  spec jsonb NOT NULL,
  observed jsonb
);
CREATE INDEX instances_by_controller ON instances (controller_id);

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  instance_id uuid NOT NULL UNIQUE REFERENCES instances (id) ON DELETE CASCADE,
  name text NOT NULL,
  template_id text NOT NULL,
  template_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'starting', 'running', 'stopping', 'stopped', 'failed')),
  reason text,
  log_tail jsonb NOT NULL DEFAULT '[]',
  progress jsonb,
  accepted_at timestamptz NOT NULL,
  placed_at timestamptz,
  instance_created_at timestamptz,
  display_ready_at timestamptz,
  first_byte_at timestamptz,
  first_frame_at timestamptz,
  created_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX sessions_newest ON sessions (organisation_id, id DESC);

CREATE TABLE tickets (
  -- SHA-256 of the ticket, hex: the ticket itself is nowhere
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  sign_in_hash text NOT NULL,
  port text NOT NULL,
  expires_at timestamptz NOT NULL
);

ALTER TABLE controllers ENABLE ROW LEVEL SECURITY;
ALTER TABLE controllers FORCE ROW LEVEL SECURITY;
ALTER TABLE enrolment_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE enrolment_tokens FORCE ROW LEVEL SECURITY;
ALTER TABLE instances ENABLE ROW LEVEL SECURITY;
ALTER TABLE instances FORCE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;

-- An organisation sees its own and the installation's controllers, and changes only its own.
CREATE POLICY tenant_read ON controllers FOR SELECT TO kalnet_app
  USING (organisation_id IS NULL OR organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid);
CREATE POLICY tenant_change ON controllers FOR ALL TO kalnet_app
  USING (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid)
  WITH CHECK (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid);
CREATE POLICY tenant ON enrolment_tokens TO kalnet_app
  USING (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid)
  WITH CHECK (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid);
CREATE POLICY tenant ON instances TO kalnet_app
  USING (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid)
  WITH CHECK (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid);
CREATE POLICY tenant ON sessions TO kalnet_app
  USING (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid)
  WITH CHECK (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid);
CREATE POLICY tenant ON tickets TO kalnet_app
  USING (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid)
  WITH CHECK (organisation_id = nullif(current_setting('kalnet.organisation', true), '')::uuid);

CREATE POLICY installation ON controllers TO kalnet_system USING (true) WITH CHECK (true);
CREATE POLICY installation ON enrolment_tokens TO kalnet_system USING (true) WITH CHECK (true);
CREATE POLICY installation ON instances TO kalnet_system USING (true) WITH CHECK (true);
CREATE POLICY installation ON sessions TO kalnet_system USING (true) WITH CHECK (true);
CREATE POLICY installation ON tickets TO kalnet_system USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON controllers, enrolment_tokens, instances, sessions, tickets TO kalnet_app, kalnet_system;
