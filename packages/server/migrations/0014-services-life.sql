-- When a service is to be looked at again, what its probes last said for how long, and as which app it signs people in.
ALTER TABLE services
  -- null: nothing is due by the clock; a report or a person wakes it
  ADD COLUMN wake_at timestamptz,
  -- id, issuer and client; the secret is elsewhere
  ADD COLUMN openid jsonb;
CREATE INDEX services_due ON services (wake_at) WHERE wake_at IS NOT NULL;

-- since when its probe fails, on our own clock
ALTER TABLE service_instances ADD COLUMN unhealthy_at timestamptz;

-- nobody wants what is in it any more; the row goes when its machine says that the folder has gone
ALTER TABLE volumes ADD COLUMN leaving boolean NOT NULL DEFAULT false;
