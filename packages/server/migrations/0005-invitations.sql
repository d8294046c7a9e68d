-- What kind of organisation it is, and who is invited to it.
ALTER TABLE organisations
  ADD COLUMN kind text NOT NULL DEFAULT 'household' CHECK (kind IN ('household', 'team'));

CREATE TABLE invitations (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- lower-case; null: for whoever the link is handed to
  email text,
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'child', 'guest')),
  group_ids uuid[] NOT NULL DEFAULT '{}',
  -- SHA-256 of the link's token, hex: the token itself is nowhere; null when it was used or taken back
  hash text UNIQUE,
  invited_by uuid REFERENCES users (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX invitations_by_organisation ON invitations (organisation_id, id DESC);
-- One open invitation for each address.
CREATE UNIQUE INDEX invitations_open ON invitations (organisation_id, email)
  WHERE accepted_at IS NULL AND revoked_at IS NULL;

SELECT kalnet_protect('invitations');
