-- People in full: service accounts, people who are switched off, groups, what a sign-in has proved, what each role must prove.
ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
ALTER TABLE users
  -- 'service': an account of a program; it has no e-mail and no way to sign in but its service keys
  ADD COLUMN kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service')),
  -- 'off': keeps everything, may do nothing
  ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'off')),
  ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT users_have_email CHECK (kind = 'service' OR email IS NOT NULL);

ALTER TABLE sign_ins
  -- stays when the secret is renewed: open connections hang on it
  ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
  ADD COLUMN method text NOT NULL DEFAULT 'password',
  -- 1: one factor; 2: two, or a passkey with user verification, or a provider trusted for it
  ADD COLUMN assurance smallint NOT NULL DEFAULT 1 CHECK (assurance IN (1, 2)),
  -- moves on with use
  ADD COLUMN idle_until timestamptz NOT NULL DEFAULT now() + interval '14 days',
  -- when the person last proved who it is
  ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now(),
  -- the identity provider it came from, and the provider's own name for its session there (back-channel logout)
  ADD COLUMN provider_id uuid,
  ADD COLUMN provider_session text;

-- What each role's sign-in must prove and how long it lasts; a role without a row has the defaults of identity/policy.ts.
CREATE TABLE sign_in_policies (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'child', 'guest')),
  assurance smallint NOT NULL CHECK (assurance IN (1, 2)),
  idle_ms bigint NOT NULL CHECK (idle_ms > 0),
  absolute_ms bigint NOT NULL CHECK (absolute_ms >= idle_ms),
  PRIMARY KEY (organisation_id, role)
);

CREATE TABLE groups (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX groups_by_name ON groups (organisation_id, lower(name));
CREATE TABLE group_members (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  group_id uuid NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_by_user ON group_members (user_id);

ALTER TABLE audit DROP CONSTRAINT audit_actor_kind_check;
ALTER TABLE audit ADD CONSTRAINT audit_actor_kind_check
  CHECK (actor_kind IN ('user', 'local-cli', 'service-key', 'nobody'));
-- The sign-in a ticket is bound to, by its lasting id (or the words 'local-cli').
ALTER TABLE tickets RENAME COLUMN sign_in_hash TO bearer;

SELECT kalnet_protect('sign_in_policies');
SELECT kalnet_protect('groups');
SELECT kalnet_protect('group_members');
