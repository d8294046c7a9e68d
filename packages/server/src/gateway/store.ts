/** SQL of the gateway's routes. */
import type { Allowed } from '@kalnet/contracts/app'
import type { Policy } from '@kalnet/contracts/gateway'
import { sql } from 'kysely'

export interface RouteRow {
  id: string
  organisation_id: string
  service_id: string
  service_name: string
  service_title: string
  port: string
  kind: 'http' | 'tcp' | 'udp'
  host: string
  path_prefix: string
  strip: boolean
  listen: number
  exposure: 'internal' | 'external'
  access: 'public' | 'people'
  allowed: Allowed
  app_passwords: boolean
  upstream_tls: 'none' | 'mutual'
  policy: Policy
  by_template: boolean
  created_at: string
  changed_at: string
}

const columns = sql`r.id, r.organisation_id, r.service_id, s.name as service_name, s.title as service_title, r.port, r.kind, r.host,
  r.path_prefix, r.strip, r.listen, r.exposure, r.access, r.allowed, r.app_passwords, r.upstream_tls, r.policy, r.by_template,
  to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
  to_char(r.changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as changed_at`
const from = sql`from gateway_routes r join services s on s.id = r.service_id`

export const statements = {
  all: (_: object) => sql<RouteRow>`select ${columns} ${from} order by r.id`,
  list: (it: { after: string | null; serviceId: string | null; limit: number }) => sql<RouteRow>`
    select ${columns} ${from} where (${it.after}::uuid is null or r.id > ${it.after}::uuid)
      and (${it.serviceId}::uuid is null or r.service_id = ${it.serviceId}::uuid) order by r.id limit ${it.limit}`,
  find: (it: { id: string }) => sql<RouteRow>`select ${columns} ${from} where r.id = ${it.id}::uuid`,
  ofService: (it: { serviceId: string }) => sql<RouteRow>`
    select ${columns} ${from} where r.service_id = ${it.serviceId}::uuid order by r.id`,
  service: (it: { id: string }) => sql<{ id: string; name: string; title: string; organisation_id: string }>`
    select id, name, title, organisation_id from services where id = ${it.id}::uuid`,
  /** Whoever's it is: an address leads to one place in the whole installation. */
  holder: (it: { kind: string; host: string; pathPrefix: string; listen: number }) => sql<{
    organisation_id: string
    service_title: string
  }>`
    select r.organisation_id, s.title as service_title ${from} where r.kind = ${it.kind} and r.host = ${it.host}
      and r.path_prefix = ${it.pathPrefix} and r.listen = ${it.listen}`,
  /** Of another household: a name belongs to one. */
  foreignHost: (it: { host: string; organisationId: string }) => sql<{ id: string }>`
    select id from gateway_routes where kind = 'http' and host = ${it.host} and organisation_id <> ${it.organisationId}::uuid limit 1`,
  add: (it: {
    id: string
    organisationId: string
    serviceId: string
    port: string
    kind: string
    host: string
    pathPrefix: string
    strip: boolean
    listen: number
    exposure: string
    access: string
    allowed: object
    appPasswords: boolean
    upstreamTls: string
    policy: object
    byTemplate: boolean
    at: string
  }) => sql`
    insert into gateway_routes (id, organisation_id, service_id, port, kind, host, path_prefix, strip, listen, exposure, access, allowed,
      app_passwords, upstream_tls, policy, by_template, created_at, changed_at)
    values (${it.id}::uuid, ${it.organisationId}::uuid, ${it.serviceId}::uuid, ${it.port}, ${it.kind}, ${it.host}, ${it.pathPrefix},
      ${it.strip}, ${it.listen}, ${it.exposure}, ${it.access}, ${JSON.stringify(it.allowed)}::jsonb, ${it.appPasswords}, ${it.upstreamTls},
      ${JSON.stringify(it.policy)}::jsonb, ${it.byTemplate}, ${it.at}, ${it.at})`,
  change: (it: {
    id: string
    exposure: string
    access: string
    allowed: object
    appPasswords: boolean
    policy: object
    at: string
  }) => sql`
    update gateway_routes set exposure = ${it.exposure}, access = ${it.access}, allowed = ${JSON.stringify(it.allowed)}::jsonb,
      app_passwords = ${it.appPasswords}, policy = ${JSON.stringify(it.policy)}::jsonb, changed_at = ${it.at} where id = ${it.id}::uuid`,
  servicesOf: (it: { instances: string[] }) => sql<{ id: string; name: string; organisation_id: string }>`
    select i.id, s.name, s.organisation_id from service_instances i join services s on s.id = i.service_id
    where i.id = any(${it.instances}::uuid[])`,
  remove: (it: { id: string }) => sql`delete from gateway_routes where id = ${it.id}::uuid`,
}
