-- How large the home of a session is that sleeps or has failed, and where, as its machine said last.
ALTER TABLE session_homes
  ADD COLUMN bytes bigint,
  ADD COLUMN reserved_bytes bigint,
  ADD COLUMN place text,
  -- null: its machine has not looked since the session ran last
  ADD COLUMN measured_at timestamptz;
