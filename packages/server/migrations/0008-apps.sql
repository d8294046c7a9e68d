-- Apps that sign people in through us, what the provider keeps for them, and who may pass to guarded addresses.
CREATE TABLE apps (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  client_id text NOT NULL UNIQUE,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('confidential', 'public')),
  -- SHA-256, hex, of 256 random bits: the secret itself is nowhere; null for public ones
  secret_hash text,
  redirect_uris text[] NOT NULL,
  leave_uris text[] NOT NULL,
  logout_uri text,
  allowed_roles text[] NOT NULL,
  allowed_groups uuid[] NOT NULL,
  trusted boolean NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  CHECK ((kind = 'confidential') = (secret_hash IS NOT NULL))
);
CREATE INDEX apps_by_organisation ON apps (organisation_id, id);

-- What a person has allowed; asked again only for more.
CREATE TABLE app_consents (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  app_id uuid NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  PRIMARY KEY (user_id, app_id)
);

-- The name an app may make an account of: given once, never changed, never given to another.
CREATE TABLE app_usernames (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid PRIMARY KEY,
  username text NOT NULL,
  UNIQUE (organisation_id, username)
);

-- What the provider keeps: codes, tokens, grants, its own sessions, questions to a person. Hashed ids; all of it hangs on a sign-in.
CREATE TABLE app_records (
  kind text NOT NULL,
  -- SHA-256, hex
  id text NOT NULL,
  payload jsonb NOT NULL,
  -- null: nobody is known yet
  organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  app_id uuid REFERENCES apps (id) ON DELETE CASCADE,
  -- no reference: that it has ended must still be told to the apps
  sign_in_id uuid,
  grant_id text,
  -- of a session of the provider, which is looked up by it
  uid text,
  consumed_at timestamptz,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX app_records_by_grant ON app_records (grant_id);
CREATE INDEX app_records_by_sign_in ON app_records (sign_in_id);
CREATE INDEX app_records_by_user ON app_records (user_id, app_id);
CREATE INDEX app_records_by_uid ON app_records (uid) WHERE uid IS NOT NULL;
CREATE INDEX app_records_by_time ON app_records (expires_at);

-- Apps still to be told that a sign-in ended; sent by whoever takes the row, until it is answered or too old.
CREATE TABLE app_logouts (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  app_id uuid NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  user_id uuid NOT NULL,
  -- the name of the session that the app was told
  sid text NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX app_logouts_by_time ON app_logouts (next_at);

CREATE TABLE forward_routes (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  host text NOT NULL,
  path_prefix text NOT NULL,
  who text NOT NULL CHECK (who IN ('public', 'people')),
  allowed_roles text[] NOT NULL,
  allowed_groups uuid[] NOT NULL,
  app_passwords boolean NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  -- a name leads to one place, whoever's it is
  CONSTRAINT forward_routes_once UNIQUE (host, path_prefix)
);
CREATE INDEX forward_routes_by_organisation ON forward_routes (organisation_id, id);

-- One-use, a minute: carries a person from our address to a guarded host.
CREATE TABLE forward_codes (
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  sign_in_id uuid NOT NULL REFERENCES sign_ins (id) ON DELETE CASCADE,
  host text NOT NULL,
  -- SHA-256 of what the browser keeps on that host
  state text NOT NULL,
  path text NOT NULL,
  expires_at timestamptz NOT NULL
);

-- The cookie of one browser on one guarded host; gone with its sign-in.
CREATE TABLE forward_passes (
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  sign_in_id uuid NOT NULL REFERENCES sign_ins (id) ON DELETE CASCADE,
  host text NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX forward_passes_by_sign_in ON forward_passes (sign_in_id);

CREATE TABLE app_passwords (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  route_id uuid NOT NULL REFERENCES forward_routes (id) ON DELETE CASCADE,
  name text NOT NULL,
  -- SHA-256, hex, of 160 random bits
  hash text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz
);
CREATE INDEX app_passwords_by_user ON app_passwords (user_id, id);

SELECT kalnet_protect('apps');
SELECT kalnet_protect('app_consents');
SELECT kalnet_protect('app_usernames');
SELECT kalnet_protect('app_records');
SELECT kalnet_protect('app_logouts');
SELECT kalnet_protect('forward_routes');
SELECT kalnet_protect('forward_codes');
SELECT kalnet_protect('forward_passes');
SELECT kalnet_protect('app_passwords');
