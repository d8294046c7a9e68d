/** What Traefik leads to besides services: Kalnet itself, and Traefik's own dashboard where it is guarded. Pure. */
import { asking, noClaims } from './asking.ts'
import type { RenderOptions, TraefikConfig } from './traefik.ts'

/** One name of this house that no authority of the internet knows, and the whole order is refused. */
function orderable(hosts: readonly string[]) {
  const [main, ...sans] = new Set(
    hosts.filter((it) => /\.[a-z]/.test(it) && !/\.(localhost|local)$/.test(it)),
  )
  return main ? [{ main, sans }] : []
}

export function addOwn(
  http: Required<TraefikConfig['http']>,
  options: RenderOptions,
  entryPoints: string[],
  tls: { tls?: object },
): void {
  const { hosts, url } = options.own
  const { resolver, trust, dashboardHost } = options
  if (hosts.length > 0) {
    http.routers.kalnet = {
      rule: hosts.map((host) => `Host(\`${host}\`)`).join(' || '),
      priority: 100_000,
      entryPoints,
      service: 'kalnet',
      ...tls,
      ...(resolver && tls.tls ? { tls: { certResolver: resolver, domains: orderable(hosts) } } : {}),
    }
    if (trust)
      http.serversTransports.kalnet =
        trust === 'loopback' ? { insecureSkipVerify: true } : { rootCAs: [trust.file] }
    http.services.kalnet = {
      loadBalancer: {
        servers: [{ url }],
        passHostHeader: true,
        ...(trust ? { serversTransport: 'kalnet' } : {}),
      },
    }
  }
  if (dashboardHost) {
    http.middlewares['traefik-claims'] = noClaims
    http.middlewares['traefik-ask'] = asking(options)
    http.routers.traefik = {
      rule: `Host(\`${dashboardHost}\`)`,
      priority: 100_000,
      entryPoints,
      service: 'api@internal',
      middlewares: ['traefik-claims', 'traefik-ask'],
      ...tls,
    }
  }
}
