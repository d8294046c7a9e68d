-- Services, their releases and instances, how their health changed, outsiders that registered, and the routes that lead to them.
CREATE TABLE services (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  name text NOT NULL,
  title text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('managed', 'outside', 'platform')),
  template_id text,
  template_name text,
  -- what a person answered; secrets are elsewhere
  answers jsonb NOT NULL DEFAULT '{}',
  desired text NOT NULL CHECK (desired IN ('running', 'stopped')),
  replicas integer NOT NULL DEFAULT 1 CHECK (replicas BETWEEN 1 AND 20),
  -- where it may run: platform or null, labels
  placement jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  -- the release that has the traffic
  release_number integer,
  -- why it is not as it should be, for people
  reason text,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  UNIQUE (organisation_id, name)
);

CREATE TABLE service_dependencies (
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
  -- the template's name for it
  name text NOT NULL,
  needs_id uuid NOT NULL REFERENCES services (id),
  PRIMARY KEY (service_id, name)
);
CREATE INDEX service_dependencies_by_needed ON service_dependencies (needs_id);

CREATE TABLE releases (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
  number integer NOT NULL CHECK (number >= 1),
  version text NOT NULL,
  -- the template's parts as they were then, with the answers: whole, so that going back needs nothing else
  content jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('rolling', 'live', 'replaced', 'failed')),
  reason text,
  user_id uuid REFERENCES users (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL,
  live_at timestamptz,
  UNIQUE (service_id, number)
);
CREATE INDEX releases_newest ON releases (organisation_id, id DESC);

-- A folder that outlives instances; its id is the folder's on its controller.
CREATE TABLE volumes (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  -- null: its service is gone and somebody wanted the data kept
  service_id uuid REFERENCES services (id) ON DELETE SET NULL,
  service_name text NOT NULL,
  part text NOT NULL,
  name text NOT NULL,
  class text NOT NULL,
  controller_id uuid NOT NULL REFERENCES controllers (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL
);
CREATE INDEX volumes_by_service ON volumes (service_id);

CREATE TABLE service_instances (
  -- the instance's own id
  id uuid PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
  release_number integer NOT NULL,
  part text NOT NULL,
  number integer NOT NULL,
  restarts integer NOT NULL DEFAULT 0,
  -- it ended and is started again then
  next_start_at timestamptz,
  started_at timestamptz
);
CREATE INDEX service_instances_by_service ON service_instances (service_id);
CREATE INDEX service_instances_due ON service_instances (next_start_at) WHERE next_start_at IS NOT NULL;

CREATE TABLE health_changes (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
  instance_id uuid NOT NULL,
  part text NOT NULL,
  number integer NOT NULL,
  state text NOT NULL CHECK (state IN ('starting', 'healthy', 'unhealthy')),
  detail text NOT NULL,
  took_ms real,
  at timestamptz NOT NULL
);
CREATE INDEX health_changes_newest ON health_changes (service_id, id DESC);

-- Outsiders: one row for each instance that said where it is.
CREATE TABLE registrations (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
  instance text NOT NULL,
  ports jsonb NOT NULL,
  weight real NOT NULL DEFAULT 1,
  ttl_ms integer NOT NULL,
  expires_at timestamptz NOT NULL,
  UNIQUE (service_id, instance)
);
CREATE INDEX registrations_due ON registrations (expires_at);

CREATE TABLE gateway_routes (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  service_id uuid NOT NULL REFERENCES services (id) ON DELETE CASCADE,
  port text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('http', 'tcp', 'udp')),
  -- http: host and path; tcp and udp: the port, for tcp the name asked for by TLS, or nothing
  host text NOT NULL DEFAULT '',
  path_prefix text NOT NULL DEFAULT '/',
  strip boolean NOT NULL DEFAULT false,
  listen integer NOT NULL DEFAULT 0,
  exposure text NOT NULL CHECK (exposure IN ('internal', 'external')),
  access text NOT NULL CHECK (access IN ('public', 'people')),
  allowed jsonb NOT NULL DEFAULT '{}',
  app_passwords boolean NOT NULL DEFAULT false,
  upstream_tls text NOT NULL DEFAULT 'none' CHECK (upstream_tls IN ('none', 'mutual')),
  policy jsonb NOT NULL DEFAULT '{}',
  by_template boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  -- one address leads to one place, in the whole installation
  UNIQUE (kind, host, path_prefix, listen)
);
CREATE INDEX gateway_routes_by_service ON gateway_routes (service_id);

SELECT kalnet_protect('services');
SELECT kalnet_protect('service_dependencies');
SELECT kalnet_protect('releases');
SELECT kalnet_protect('volumes');
SELECT kalnet_protect('service_instances');
SELECT kalnet_protect('health_changes');
SELECT kalnet_protect('registrations');
SELECT kalnet_protect('gateway_routes');

-- Whose machine's network the addresses of its instances belong to, as it said when it connected.
ALTER TABLE controllers ADD COLUMN machine text;
