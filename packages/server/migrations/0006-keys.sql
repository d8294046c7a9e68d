-- Service keys of people and of service accounts, and what another directory told us by SCIM.
CREATE TABLE service_keys (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- whom it acts as: a person, or a service account
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  -- the part that may be shown: kal_<public_id>_…
  public_id text NOT NULL UNIQUE,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  -- how long a secret lives, null: for ever
  days integer CHECK (days > 0),
  expires_at timestamptz,
  last_used_at timestamptz,
  last_used_address text,
  -- each secret has an id of its own: open connections hang on it, so that an old one is cut without the new
  secret_id uuid NOT NULL UNIQUE,
  -- SHA-256, hex: the secret itself is nowhere
  secret_hash text NOT NULL,
  old_secret_id uuid,
  old_secret_hash text,
  old_until timestamptz
);
CREATE INDEX service_keys_by_user ON service_keys (user_id);
CREATE INDEX service_keys_by_organisation ON service_keys (organisation_id, id DESC);

-- Owners are people, and children too: a program is neither.
ALTER TABLE users ADD CONSTRAINT users_service_role CHECK (kind = 'person' OR role IN ('admin', 'member', 'guest'));

-- A person that is kept in step from outside.
CREATE TABLE scim_users (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_name text NOT NULL,
  external_id text,
  -- what we keep for the other side and do not use ourselves: telephone numbers, addresses, titles …
  attributes jsonb NOT NULL,
  -- the other directory took the person away: switched off, and not shown to it any more
  removed_at timestamptz,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX scim_users_by_name ON scim_users (organisation_id, lower(user_name));
CREATE TABLE scim_groups (
  group_id uuid PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  external_id text NOT NULL
);

SELECT kalnet_protect('service_keys');
SELECT kalnet_protect('scim_users');
SELECT kalnet_protect('scim_groups');
