-- Certificates that were brought or ordered; their keys are sealed (table secrets). What the local authority makes is kept nowhere.
CREATE TABLE certificates (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  source text NOT NULL CHECK (source IN ('own', 'acme')),
  -- lower case; *. in front: every name right below
  names text[] NOT NULL,
  state text NOT NULL CHECK (state IN ('ordering', 'valid', 'failed', 'revoked')),
  -- PEM, the certificate itself first; null: never given yet
  chain text,
  issuer text,
  serial text,
  fingerprint text,
  key_type text,
  not_before timestamptz,
  not_after timestamptz,
  challenge text CHECK (challenge IN ('http-01', 'dns-01')),
  -- the order under way: its next step, and where it is at the authority. What it has is in the secret `certificate <id> next`.
  step text CHECK (step IN ('order', 'challenge', 'finalize', 'download')),
  order_url text,
  -- failures one after the other, and why the last one was
  failures integer NOT NULL DEFAULT 0,
  problem text,
  -- when it is worked on next; null: never
  next_at timestamptz,
  -- somebody works on it until then; another server leaves it alone
  leased_until timestamptz,
  -- people were told that this one is about to end
  alerted_at timestamptz,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX certificates_newest ON certificates (organisation_id, id DESC);
CREATE INDEX certificates_due ON certificates (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX certificates_ending ON certificates (not_after) WHERE alerted_at IS NULL;

-- What the authority asks us to show while an order is under way. None of it is secret.
CREATE TABLE certificate_challenges (
  certificate_id uuid NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('http-01', 'dns-01')),
  name text NOT NULL,
  token text NOT NULL,
  answer text NOT NULL,
  PRIMARY KEY (certificate_id, name, token)
);

SELECT kalnet_protect('certificates');
SELECT kalnet_protect('certificate_challenges');
