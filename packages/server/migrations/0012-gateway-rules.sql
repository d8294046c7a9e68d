-- A guarded address that belongs to a route of our own gateway goes with it. Its host has no port: the gateway's may change.
ALTER TABLE forward_routes ADD COLUMN gateway_route_id uuid REFERENCES gateway_routes (id) ON DELETE CASCADE;
CREATE INDEX forward_routes_by_gateway_route ON forward_routes (gateway_route_id);
