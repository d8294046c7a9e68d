-- What each look at a screen was like, as its viewer measured; the latest few of a session.
CREATE TABLE viewings (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  began_at timestamptz NOT NULL,
  heard_at timestamptz NOT NULL,
  elapsed_ms bigint NOT NULL,
  frames integer NOT NULL,
  bytes bigint NOT NULL,
  -- null: no key was answered by a picture
  key_to_picture_ms double precision
);
CREATE INDEX viewings_latest ON viewings (session_id, began_at DESC);
SELECT kalnet_protect('viewings');
