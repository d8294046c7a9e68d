/** The state of the whole house at one look. Pure but for asking the three lists. */
import type { Controller } from '@kalnet/contracts/controller'
import { type DashboardStatus, dashboardRoutes, type ServiceStatus } from '@kalnet/contracts/dashboard'
import type { WayInProblem } from '@kalnet/contracts/gateway'
import type { HealthState } from '@kalnet/contracts/health'
import { type Actor, can } from '@kalnet/contracts/permission'
import type { Service, ServiceState } from '@kalnet/contracts/service'
import { type Clock, stamp } from '@kalnet/io/clock'
import { type Handler, handle } from '../core/http.ts'

/** What a state says about the house; a service that somebody stopped is as it should be. */
const MEANS: Record<ServiceState, DashboardStatus['state']> = {
  running: 'ok',
  stopped: 'ok',
  waiting: 'working',
  starting: 'working',
  updating: 'working',
  stopping: 'working',
  unhealthy: 'attention',
  failed: 'attention',
}
const WORST: readonly HealthState[] = ['unhealthy', 'starting', 'healthy']

export function statusOf(service: Service): ServiceStatus {
  const { id, name, title, state, reason, url } = service
  const asked = service.instances.flatMap((it) => (it.health ? [it.health] : []))
  return {
    id,
    name,
    title,
    state,
    reason,
    url,
    health: WORST.find((worst) => asked.some((it) => it.state === worst)) ?? null,
    changedAt: asked.map((it) => it.changedAt).reduce<string | null>((a, b) => (a && a > b ? a : b), null),
  }
}

export function houseState(
  services: readonly Pick<ServiceStatus, 'state'>[],
  machines: DashboardStatus['machines'],
): DashboardStatus['state'] {
  const all = services.map(({ state }) => MEANS[state])
  if (all.includes('attention') || (machines && machines.online < machines.all)) return 'attention'
  return all.includes('working') ? 'working' : 'ok'
}

/** All pages of a list: a house has few of each. */
async function whole<T>(
  read: (after?: string) => Promise<{ items: T[]; next: string | null }>,
): Promise<T[]> {
  const all: T[] = []
  for (let after: string | undefined; ; ) {
    const { items, next } = await read(after)
    all.push(...items)
    if (next === null) return all
    after = next
  }
}

export interface StatusOptions {
  clock: Clock
  version: string
  services(
    actor: Actor,
    query: { after?: string; limit: number },
  ): Promise<{ items: Service[]; next: string | null }>
  sessions(
    actor: Actor,
    query: { after?: string; limit: number; state: 'live' },
  ): Promise<{ items: object[]; next: string | null }>
  controllers(
    actor: Actor,
    query: { after?: string; limit: number },
  ): Promise<{ items: Controller[]; next: string | null }>
  /** What keeps addresses of this organisation from working. */
  wayIn(organisationId: string): WayInProblem[]
  /** `state` null: it is not configured. */
  parts(): { name: 'nats' | 'telemetry'; state: 'connected' | 'waiting' | null }[]
}

const LIMIT = 200
export const routesOfStatus = (options: StatusOptions): Handler[] => [
  handle(dashboardRoutes.status, async ({ actor }) => {
    const page = (after?: string) => ({ limit: LIMIT, ...(after === undefined ? {} : { after }) })
    const [services, sessions, controllers] = await Promise.all([
      whole((after) => options.services(actor, page(after))),
      can(actor, 'session.read')
        ? whole((after) => options.sessions(actor, { ...page(after), state: 'live' }))
        : [],
      can(actor, 'controller.read') ? whole((after) => options.controllers(actor, page(after))) : null,
    ])
    const machines = controllers && {
      online: controllers.filter((it) => it.state === 'online').length,
      all: controllers.filter((it) => it.state !== 'never-connected').length,
    }
    const shown = services.map(statusOf)
    const wayIn = can(actor, 'route.read') ? options.wayIn(actor.organisationId) : null
    return {
      // That names are not said keeps nobody out.
      state: wayIn?.some(({ part }) => part === 'gateway') ? 'attention' : houseState(shown, machines),
      version: options.version,
      at: stamp(options.clock),
      services: shown,
      sessions: sessions.length,
      machines,
      wayIn,
      parts: can(actor, 'controller.read')
        ? options.parts().flatMap(({ name, state }) => (state ? [{ name, state }] : []))
        : null,
    }
  }),
]
