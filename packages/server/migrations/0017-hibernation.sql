-- Sessions that sleep and wake: the home folder of each is a volume of its own.
CREATE TABLE session_homes (
  -- the volume's own id on its controller
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- null: nobody wants what is in it any more; the row goes when its machine says that the folder has gone
  session_id uuid UNIQUE REFERENCES sessions (id) ON DELETE SET NULL,
  controller_id uuid NOT NULL REFERENCES controllers (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL
);
CREATE INDEX session_homes_leaving ON session_homes (controller_id) WHERE session_id IS NULL;
SELECT kalnet_protect('session_homes');

ALTER TABLE sessions
  DROP CONSTRAINT sessions_state_check,
  ADD CONSTRAINT sessions_state_check CHECK (state IN ('pending', 'starting', 'running', 'hibernating', 'hibernated',
    'waking', 'stopping', 'stopped', 'failed')),
  -- what is done when nobody uses it for long; null: nothing
  ADD COLUMN idle jsonb,
  ADD COLUMN used_at timestamptz,
  -- since when whoever looks is told what comes
  ADD COLUMN warned_at timestamptz;
CREATE INDEX sessions_unused ON sessions (used_at) WHERE state = 'running' AND idle IS NOT NULL;
