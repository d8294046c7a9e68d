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

SELECT kalnet_protect('controllers');
SELECT kalnet_protect('enrolment_tokens');
SELECT kalnet_protect('instances');
SELECT kalnet_protect('sessions');
SELECT kalnet_protect('tickets');
-- An organisation also sees the installation's controllers, and changes only its own.
CREATE POLICY installations ON controllers FOR SELECT TO kalnet_app USING (organisation_id IS NULL);
