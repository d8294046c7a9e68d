/** The register of routes: which address leads to which service. An address leads to one place in the whole installation. */
import type { Config } from '@kalnet/contracts/config'
import { fail } from '@kalnet/contracts/errors'
import {
  type GatewayRoute,
  type gatewayRoutes,
  type Match,
  policy as policySchema,
} from '@kalnet/contracts/gateway'
import type { Actor } from '@kalnet/contracts/permission'
import type { BodyOf, QueryOf } from '@kalnet/contracts/route'
import type { ServiceDoor } from '@kalnet/contracts/template'
import { type Clock, stamp } from '@kalnet/io/clock'
import { v7 as newId } from 'uuid'
import { demand } from '../access/access.ts'
import { putGatewayRule } from '../apps/forward-rules.ts'
import type { Events } from '../core/events.ts'
import type { Store, Tx } from '../core/store.ts'
import { isDuplicate } from '../core/store-errors.ts'
import { addressOfService } from '../services/address.ts'
import { type RouteRow, statements } from './store.ts'

export type RouteBody = BodyOf<typeof gatewayRoutes.add>

const placeOf = (match: Match) => ({
  kind: match.kind,
  host: match.kind === 'http' ? match.host : match.kind === 'tcp' ? (match.sni ?? '') : '',
  pathPrefix: match.kind === 'http' ? match.pathPrefix : '/',
  strip: match.kind === 'http' && match.strip,
  listen: match.kind === 'http' ? 0 : match.listen,
})
const matchOf = (row: RouteRow): Match => {
  if (row.kind === 'http')
    return { kind: 'http', host: row.host, pathPrefix: row.path_prefix, strip: row.strip }
  if (row.kind === 'tcp') return { kind: 'tcp', listen: row.listen, sni: row.host || null }
  return { kind: 'udp', listen: row.listen }
}
export const matchWords = (match: Match): string =>
  match.kind === 'http'
    ? `${match.host}${match.pathPrefix === '/' ? '' : match.pathPrefix}`
    : `${match.kind} ${match.listen}${match.kind === 'tcp' && match.sni ? ` (${match.sni})` : ''}`

export function createRegister(options: {
  store: Store
  events: Events
  clock: Clock
  config: Pick<Config, 'domain' | 'gateway' | 'tls' | 'listen' | 'dns'>
  /** Names the dashboard itself has; they lead to nothing else. */
  ownHosts(): string[]
}) {
  const { store, events, clock, config, ownHosts } = options
  const addressOf = addressOfService(config)
  const { gateway, listen, tls } = config
  const scheme = tls.enabled ? 'https' : 'http'
  const port = tls.enabled ? (gateway.publicHttpsPort ?? gateway.httpsPort) : gateway.httpPort
  const isUsual = port === (tls.enabled ? 443 : 80)
  const ownPorts = new Set([
    listen.port,
    gateway.httpPort,
    gateway.httpsPort,
    ...(config.dns.enabled ? [config.dns.port] : []),
  ])

  const shape = (row: RouteRow): GatewayRoute => ({
    id: row.id,
    match: matchOf(row),
    serviceId: row.service_id,
    serviceName: row.service_name,
    port: row.port,
    exposure: row.exposure,
    access: row.access,
    allowed: row.allowed,
    appPasswords: row.app_passwords,
    upstreamTls: row.upstream_tls,
    // Kept as it was given; what came to the schema since has its default.
    policy: policySchema.parse(row.policy),
    url:
      row.kind === 'http' && !row.host.startsWith('*.')
        ? `${scheme}://${row.host}${isUsual ? '' : `:${port}`}${row.path_prefix}`
        : null,
    byTemplate: row.by_template,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  })

  function assertUsable({ match, access }: RouteBody): void {
    const refuse = (problem: string) => fail('gateway-route.invalid', { problem })
    if (match.kind === 'http') {
      if (ownHosts().includes(match.host) || match.host === gateway.traefikHost)
        throw refuse(`${match.host} is the address of Kalnet itself`)
      if (match.host.startsWith('*.') && access === 'people')
        throw refuse('who may pass can only be said of one name, not of all below a domain')
      return
    }
    if (ownPorts.has(match.listen)) throw refuse(`port ${match.listen} is used by Kalnet itself`)
  }

  /** Who may pass, kept beside the route: our gateway and Traefik ask for it in the same way. */
  async function putRules(tx: Tx, row: RouteRow, openPaths: readonly string[] = []): Promise<void> {
    if (row.kind !== 'http' || row.host.startsWith('*.')) return
    const rule = {
      gatewayRouteId: row.id,
      organisationId: row.organisation_id,
      name: row.service_title,
      host: row.host,
      allowed: row.allowed,
      appPasswords: row.app_passwords,
    }
    await putGatewayRule(tx, clock, { ...rule, pathPrefix: row.path_prefix, who: row.access })
    for (const pathPrefix of openPaths)
      await putGatewayRule(tx, clock, { ...rule, pathPrefix, who: 'public', appPasswords: false })
  }

  async function insert(
    tx: Tx,
    organisationId: string,
    body: RouteBody,
    how: { byTemplate: boolean; openPaths?: readonly string[] },
  ): Promise<RouteRow> {
    assertUsable(body)
    const id = newId()
    const place = placeOf(body.match)
    await statements
      .add({ ...body, ...place, id, organisationId, byTemplate: how.byTemplate, at: stamp(clock) })
      .execute(tx)
    const row = (await statements.find({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'service' })
    await putRules(tx, row, how.openPaths)
    await tell(tx, row)
    return row
  }
  const tell = (tx: Tx, row: RouteRow) =>
    events.publish(tx, 'route.changed', { organisationId: row.organisation_id, userId: null }, shape(row))

  async function takenBy(error: unknown, { match }: Pick<RouteBody, 'match'>, organisationId: string) {
    if (!isDuplicate(error)) return error
    const holder = (await store.system.read((tx) => statements.holder(placeOf(match)).execute(tx))).rows[0]
    const name = holder?.organisation_id === organisationId ? holder.service_title : 'another place'
    return fail('gateway-route.taken', { match: matchWords(match), name })
  }
  /** Asked across households: below another one's name nobody adds a path. */
  async function assertOwnHost(organisationId: string, { match }: Pick<RouteBody, 'match'>) {
    if (match.kind !== 'http') return
    const { rows } = await store.system.read((tx) =>
      statements.foreignHost({ host: match.host, organisationId }).execute(tx),
    )
    if (rows.length > 0) throw fail('gateway-route.taken', { match: match.host, name: 'another place' })
  }
  async function find(tx: Tx, actor: Actor, id: string): Promise<RouteRow> {
    const row = (await statements.find({ id }).execute(tx)).rows[0]
    if (!row) throw fail('thing.unknown', { kind: 'route' })
    demand(actor, 'route.manage', { organisationId: row.organisation_id, userId: null }, 'route')
    return row
  }

  return {
    shape,
    all: (): Promise<RouteRow[]> =>
      store.system.read(async (tx) => (await statements.all({}).execute(tx)).rows),

    async list(actor: Actor, { after, limit, service }: QueryOf<typeof gatewayRoutes.list>) {
      const { rows } = await store
        .as(actor.organisationId)
        .read((tx) =>
          statements.list({ after: after ?? null, serviceId: service ?? null, limit: limit + 1 }).execute(tx),
        )
      const items = rows.slice(0, limit).map(shape)
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
    },

    async add(actor: Actor, body: RouteBody): Promise<GatewayRoute> {
      const { organisationId } = actor
      await assertOwnHost(organisationId, body)
      try {
        return await store.as(organisationId).transaction(async (tx) => {
          const service = (await statements.service({ id: body.serviceId }).execute(tx)).rows[0]
          if (!service) throw fail('thing.unknown', { kind: 'service' })
          return shape(await insert(tx, organisationId, body, { byTemplate: false }))
        })
      } catch (error) {
        throw await takenBy(error, body, organisationId)
      }
    },

    change: (actor: Actor, id: string, change: BodyOf<typeof gatewayRoutes.change>): Promise<GatewayRoute> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const before = shape(await find(tx, actor, id))
        const after = { ...before, ...change }
        assertUsable(after)
        await statements.change({ ...after, at: stamp(clock) }).execute(tx)
        const row = await find(tx, actor, id)
        await putRules(tx, row)
        await tell(tx, row)
        return shape(row)
      }),

    remove: (actor: Actor, id: string): Promise<void> =>
      store.as(actor.organisationId).transaction(async (tx) => {
        const row = await find(tx, actor, id)
        await statements.remove({ id }).execute(tx)
        await events.publish(
          tx,
          'route.removed',
          { organisationId: row.organisation_id, userId: null },
          { id },
        )
      }),

    /** The doors of a template, in the transaction that installs its service. */
    async addDoors(
      tx: Tx,
      service: { id: string; name: string; organisationId: string },
      doors: readonly ServiceDoor[],
    ): Promise<void> {
      for (const door of doors) {
        const match: Match =
          door.kind === 'http'
            ? { kind: 'http', host: addressOf(service.name).host, pathPrefix: '/', strip: false }
            : door.kind === 'tcp'
              ? { kind: 'tcp', listen: door.listen ?? 0, sni: null }
              : { kind: 'udp', listen: door.listen ?? 0 }
        const body: RouteBody = {
          match,
          serviceId: service.id,
          port: door.port,
          exposure: 'internal',
          access: door.kind === 'http' ? door.access : 'public',
          allowed: { roles: [], groups: [] },
          appPasswords: door.appPasswords,
          upstreamTls: 'none',
          policy: policySchema.parse({}),
        }
        try {
          await insert(tx, service.organisationId, body, { byTemplate: true, openPaths: door.paths })
        } catch (error) {
          throw await takenBy(error, body, service.organisationId)
        }
      }
    },

    /** Its service goes, or lost a door. Rows go with the service; whoever listens hears of each. */
    async removeDoors(tx: Tx, serviceId: string): Promise<void> {
      for (const row of (await statements.ofService({ serviceId }).execute(tx)).rows) {
        await statements.remove({ id: row.id }).execute(tx)
        await events.publish(
          tx,
          'route.removed',
          { organisationId: row.organisation_id, userId: null },
          { id: row.id },
        )
      }
    },
  }
}
export type Register = ReturnType<typeof createRegister>
