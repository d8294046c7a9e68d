-- Identity providers people may sign in with, the accounts linked there, and what is needed while and after somebody comes in by one.
CREATE TABLE identity_providers (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('openid', 'saml')),
  name text NOT NULL,
  icon text NOT NULL,
  enabled boolean NOT NULL,
  -- by kind: issuer, client, scopes … or entity id, address, certificates … ; the client secret is in secrets
  settings jsonb NOT NULL,
  -- in order: a group there → a role here, a group here
  rules jsonb NOT NULL,
  default_role text NOT NULL CHECK (default_role IN ('admin', 'member', 'child', 'guest')),
  creates_people boolean NOT NULL,
  second_factor jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX identity_providers_by_organisation ON identity_providers (organisation_id, name);

-- An account there and whose it is here. Never found by e-mail: only by who vouches (issuer) and for whom (subject).
CREATE TABLE identities (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider_id uuid NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  issuer text NOT NULL,
  subject text NOT NULL,
  -- how it is called there, for people
  account text NOT NULL,
  -- made by the first sign-in: role and mapped groups follow the provider. A linked one keeps what it has here.
  managed boolean NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  UNIQUE (provider_id, issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);

-- Somebody is on the way to a provider and back. The browser's cookie holds the secret from which state, nonce and verifier are made; only its hash is here.
CREATE TABLE provider_flows (
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  provider_id uuid NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  purpose text NOT NULL CHECK (purpose IN ('sign-in', 'link', 'prove')),
  -- of whom links or proves: the account and the sign-in that asked
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  sign_in_id uuid REFERENCES sign_ins (id) ON DELETE CASCADE,
  back text NOT NULL,
  -- SHA-256 of the id of the SAML request, by which its answer is found
  request_hash text NOT NULL UNIQUE,
  -- SHA-256 of the handle under which a verified SAML answer waits for the browser that began
  handle_hash text UNIQUE,
  answer jsonb,
  expires_at timestamptz NOT NULL
);
CREATE INDEX provider_flows_by_time ON provider_flows (expires_at);

-- A session at a provider that sign-ins here come from (sign_ins.provider_session names it).
CREATE TABLE provider_sessions (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  provider_id uuid NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  identity_id uuid NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  -- the provider's own name for it
  sid text,
  -- sealed tokens are in secrets; false: there is nothing to ask again with
  refreshes boolean NOT NULL,
  begun_at timestamptz NOT NULL,
  -- when the provider last said that the account may be here
  checked_at timestamptz NOT NULL
);
CREATE INDEX provider_sessions_by_identity ON provider_sessions (identity_id);
CREATE INDEX provider_sessions_by_sid ON provider_sessions (provider_id, sid);
CREATE INDEX sign_ins_by_provider ON sign_ins (provider_id) WHERE provider_id IS NOT NULL;

-- What may be shown once only: ids of assertions and of logout tokens.
CREATE TABLE provider_onces (
  provider_id uuid NOT NULL REFERENCES identity_providers (id) ON DELETE CASCADE,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  hash text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (provider_id, hash)
);
CREATE INDEX provider_onces_by_time ON provider_onces (expires_at);

SELECT kalnet_protect('identity_providers');
SELECT kalnet_protect('identities');
SELECT kalnet_protect('provider_flows');
SELECT kalnet_protect('provider_sessions');
SELECT kalnet_protect('provider_onces');
