-- Second factors and what signing in keeps for a moment: attempts, challenges, links for a new password.

-- The seed itself is a sealed secret (`totp <user>`; while it is set up `totp-new <user>`).
CREATE TABLE totp_factors (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- null: never confirmed, counts for nothing
  confirmed_at timestamptz,
  -- the 30-second step of the last code that was accepted: a code works once
  last_step bigint NOT NULL DEFAULT 0,
  new_until timestamptz
);

CREATE TABLE recovery_codes (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256, hex, of 80 random bits
  hash text NOT NULL,
  PRIMARY KEY (user_id, hash)
);

CREATE TABLE passkeys (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- base64url, as the authenticator named it
  credential_id text NOT NULL UNIQUE,
  -- the COSE key, base64url
  public_key text NOT NULL,
  counter bigint NOT NULL,
  transports text[] NOT NULL,
  -- the name it was made for; it works nowhere else
  rp_id text NOT NULL,
  synced boolean NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  last_used_at timestamptz
);
CREATE INDEX passkeys_by_user ON passkeys (user_id, rp_id);

-- One-use; nobody's while a passkey signs in without an e-mail address.
CREATE TABLE passkey_challenges (
  hash text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('make', 'sign-in', 'second-factor', 'step-up')),
  organisation_id uuid REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  rp_id text NOT NULL,
  origin text NOT NULL,
  expires_at timestamptz NOT NULL
);

-- A first factor was shown, the second is awaited.
CREATE TABLE sign_in_attempts (
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  method text NOT NULL,
  provider_id uuid,
  provider_session text,
  tries integer NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_by_user ON sign_in_attempts (user_id);

CREATE TABLE password_resets (
  hash text PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);

-- A link of `user reset-owner` may take the second factors away too, when it is used.
ALTER TABLE claims ADD COLUMN clear_factors boolean NOT NULL DEFAULT false;

SELECT kalnet_protect('totp_factors');
SELECT kalnet_protect('recovery_codes');
SELECT kalnet_protect('passkeys');
SELECT kalnet_protect('passkey_challenges');
SELECT kalnet_protect('sign_in_attempts');
SELECT kalnet_protect('password_resets');
