/** The gateway over the API: routes, figures, and the snapshot for gateways of their own. */
import { FORWARD_PATH } from '@kalnet/contracts/forward'
import { gatewayRoutes, type RouteFigures, type WayInProblem } from '@kalnet/contracts/gateway'
import { type Handler, handle } from '../core/http.ts'
import type { Calls } from './calls.ts'
import type { Register } from './register.ts'
import { reachFrom } from './render/reach.ts'
import { renderTraefik } from './render/traefik.ts'
import { ofHousehold, type Snapshots } from './snapshot.ts'

/** A gateway that asks for news waits for it this long. */
const WAIT_MS = 20_000

export function routesOfGateway(parts: {
  register: Register
  snapshots: Snapshots
  calls: Calls
  /** Of the gateway in this process and of those elsewhere. */
  figures(): RouteFigures[]
  problems(organisationId: string): WayInProblem[]
  /** The control plane's address for programs on its own machine. */
  inside(): string
  ownHosts(): string[]
  /** Where Traefik shows its own dashboard. */
  traefikHost?: string
  machine: string | null
  /** The local authority, where the control plane speaks TLS by it. */
  authorityFile: string | null
  signal: AbortSignal
}): Handler[] {
  const { register, snapshots, calls, signal } = parts
  return [
    handle(gatewayRoutes.list, ({ actor, query }) => register.list(actor, query)),
    handle(gatewayRoutes.add, ({ actor, body }) => register.add(actor, body)),
    handle(gatewayRoutes.change, ({ actor, params, body }) => register.change(actor, params.id, body)),
    handle(gatewayRoutes.remove, async ({ actor, params }) => {
      await register.remove(actor, params.id)
      return {}
    }),
    handle(gatewayRoutes.figures, async ({ actor }) => {
      const mine = new Set(
        snapshots
          .now()
          .routes.filter((it) => it.organisationId === actor.organisationId)
          .map((it) => it.id),
      )
      return {
        routes: parts.figures().filter((it) => mine.has(it.routeId)),
        calls: calls.of(actor.organisationId),
        problems: parts.problems(actor.organisationId),
      }
    }),
    handle(gatewayRoutes.snapshot, async ({ actor, query }) => {
      const { after } = query
      const whole = after === undefined ? snapshots.now() : await snapshots.after(after, WAIT_MS, signal)
      return ofHousehold(whole, actor.organisationId)
    }),
    handle(gatewayRoutes.traefik, async ({ actor, query }) => {
      const { reach, web, secure, resolver, trust } = query
      const { config } = renderTraefik(ofHousehold(snapshots.now(), actor.organisationId), {
        entryPoints: { web, secure: secure === 'none' ? null : secure },
        resolver: resolver ?? null,
        forwardAuth: new URL(FORWARD_PATH, parts.inside()).href,
        own: { hosts: parts.ownHosts(), url: parts.inside() },
        dashboardHost: parts.traefikHost,
        trust:
          parts.authorityFile === null
            ? null
            : trust === 'loopback'
              ? 'loopback'
              : { file: parts.authorityFile },
        reach: reachFrom(reach === 'any' ? null : parts.machine),
      })
      return { ...config }
    }),
  ]
}
