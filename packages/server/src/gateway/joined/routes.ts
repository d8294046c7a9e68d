/** What gateways of their own ask and tell, each for the household whose key it has. */
import type { IncomingHttpHeaders } from 'node:http'
import { fail, KalnetError } from '@kalnet/contracts/errors'
import type { Snapshot } from '@kalnet/contracts/gateway'
import { type GatewayReport, joinedRoutes } from '@kalnet/contracts/gateway-joined'
import type { Clock } from '@kalnet/io/clock'
import type { ForwardReply } from '../../apps/forward.ts'
import type { Certificates } from '../../certificates/certificates.ts'
import { type Handler, handle } from '../../core/http.ts'
import type { Registrations } from '../../registry/registrations.ts'
import type { KnownGateways } from './known.ts'

/** It is in the registry as long as it says so; said on this often. */
const REGISTER_EVERY_MS = 10_000

export interface JoinedOptions {
  clock: Clock
  known: KnownGateways
  snapshotOf(organisationId: string): Snapshot
  registrations: Pick<Registrations, 'registerPart' | 'leavePart'>
  certificates: Certificates['forGateways']
  decide(headers: IncomingHttpHeaders, address: string): Promise<ForwardReply>
  /** Something is open at these instances, though they get nothing new; of one household. */
  busy(ids: readonly string[], organisationId: string): Promise<void>
  /** Of those: the sign-ins that have ended. */
  ended(signInIds: string[]): Promise<string[]>
  ownHosts(): string[]
  /** Why an address is not taken; null: it is. */
  problemOf(host: string): string | null
}

const isLoopback = (host: string) => host === '::1' || host.startsWith('127.')

const serves = ({ routes }: Snapshot, host: string): boolean => {
  const name = host.toLowerCase().replace(/:\d+$/, '')
  const star = `*.${name.slice(name.indexOf('.') + 1)}`
  return routes.some(({ match }) => match.kind === 'http' && (match.host === name || match.host === star))
}

export function routesOfJoined(options: JoinedOptions): Handler[] {
  const { clock, known, snapshotOf, registrations, certificates } = options
  /** Another process counts anew. */
  const epoch = clock.now().getTime().toString(36)
  const registered = new Map<string, { at: number; ports: string }>()

  function partOf({ name, version, ports, machine }: GatewayReport) {
    for (const { host } of ports) {
      const problem = isLoopback(host) ? (machine ? null : `${host} is its own`) : options.problemOf(host)
      if (problem) throw fail('request.invalid', { problem })
    }
    return {
      name: 'gateway',
      title: 'Gateway',
      instance: name,
      ports: ports.map(({ name: port, host, port: number }) => ({
        name: port,
        kind: port === 'http' ? ('http' as const) : ('tcp' as const),
        host,
        port: number,
        ...(machine !== null && isLoopback(host) ? { machine } : {}),
      })),
      metadata: { version, tags: ['platform'], capabilities: ['http'] },
      ttlMs: 3 * REGISTER_EVERY_MS,
      weight: 1,
    }
  }
  async function register(organisationId: string, report: GatewayReport) {
    const key = `${organisationId} ${report.name}`
    if (report.leaving) {
      registered.delete(key)
      return registrations.leavePart(organisationId, 'gateway', report.name)
    }
    const before = registered.get(key)
    const ports = JSON.stringify(report.ports)
    const now = clock.now().getTime()
    if (before && before.ports === ports && now - before.at < REGISTER_EVERY_MS) return
    await registrations.registerPart(organisationId, partOf(report))
    registered.set(key, { at: now, ports })
  }

  return [
    handle(joinedRoutes.report, async ({ actor, body, audit, unchanged }) => {
      const { organisationId } = actor
      // `main` is the one in the control plane itself.
      if (body.name === 'main') throw fail('service.name-taken', { name: body.name })
      const mine = new Set(snapshotOf(organisationId).routes.map((it) => it.id))
      const figures = body.figures.filter((it) => mine.has(it.routeId))
      const { proof, isNew } = known.heard(organisationId, { ...body, figures })
      audit({ name: body.name, leaving: body.leaving })
      if (!isNew && !body.leaving) unchanged()
      await register(organisationId, body)
      if (body.finishing?.length) await options.busy(body.finishing, organisationId)
      const runsIt = await certificates.runsInstallation(organisationId)
      const hosts = snapshotOf(organisationId)
      return {
        ended: body.signIns.length > 0 ? await options.ended(body.signIns) : [],
        proof: runsIt ? proof : '',
        ownHosts: runsIt ? options.ownHosts() : [],
        challenges: certificates.challenges().filter(({ host }) => runsIt || serves(hosts, host)),
        certificates: `${epoch}.${certificates.generation()}`,
      }
    }),
    handle(joinedRoutes.judge, async ({ actor, body }) => {
      try {
        if (!serves(snapshotOf(actor.organisationId), body.headers['x-forwarded-host'] ?? ''))
          throw fail('forward-route.unknown')
        return { reply: await options.decide(body.headers, body.address), refused: null }
      } catch (error) {
        if (!(error instanceof KalnetError) || error.status >= 500) throw error
        return { reply: null, refused: { code: error.code, details: error.details } }
      }
    }),
    handle(joinedRoutes.certificate, async ({ actor, query, audit }) => {
      audit({ host: query.host })
      const own = (name: string) => options.ownHosts().includes(name)
      const found = await certificates.pemFor(query.host, actor.organisationId, own)
      if (!found) throw fail('thing.unknown', { kind: 'certificate' })
      return { ...found, end: new Date(found.end).toISOString() }
    }),
    handle(joinedRoutes.identity, async ({ actor }) => {
      const { certificate, key, authority, renewAt } = await certificates.identity(actor.organisationId)
      return { chain: certificate, key, authority, renewAt: new Date(renewAt).toISOString() }
    }),
  ]
}
