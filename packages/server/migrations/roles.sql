-- Run before the numbered files at every start (twice gives the same): the three roles everything else names.
-- kalnet_owner owns the tables; kalnet_app sees one organisation; kalnet_system sees the installation. None can log in:
-- the one login takes a role inside each transaction.
SELECT pg_advisory_xact_lock(728364501);
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['kalnet_owner', 'kalnet_app', 'kalnet_system'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        -- Another database of the same server was being prepared at this moment.
        NULL;
      END;
    END IF;
    IF NOT pg_has_role(current_user, role_name, 'USAGE') AND NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO %I', role_name, current_user);
    END IF;
  END LOOP;
  IF NOT has_schema_privilege('kalnet_owner', 'public', 'CREATE') THEN
    GRANT CREATE, USAGE ON SCHEMA public TO kalnet_owner;
  END IF;
  IF NOT has_schema_privilege('kalnet_app', 'public', 'USAGE') THEN
    GRANT USAGE ON SCHEMA public TO kalnet_app, kalnet_system;
  END IF;
END
$$;
