/** Which ports of this machine are Kalnet's, and who may come to each: from the configuration and the routes there are. Pure. */
import type { Config } from '@kalnet/contracts/config'
import type { GatewayRoute } from '@kalnet/contracts/gateway'

export interface FirewallRule {
  protocol: 'tcp' | 'udp'
  port: number
  /** internal: from this network only. external: from everywhere. */
  exposure: 'internal' | 'external'
  /** Plain words: it stands in comments of rules. */
  why: string
}

/** Networks of homes (RFC 1918, RFC 3927, RFC 4193, RFC 4291); not 100.64.0.0/10, which is a provider's many customers. */
export const HOME_NETWORKS = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
]
const MDNS = 5353
/** Never named in a rule, whatever a route says: whoever sits elsewhere and looks after this machine comes in here. */
export const SSH = 22

type Needed = Pick<Config, 'listen' | 'gateway' | 'dns' | 'tls'>

/**
 * One rule for each port. Where several routes share one, external wins: which of its names may be opened from outside is judged by
 * the gateway, for each route.
 */
export function firewallRules(
  config: Needed,
  routes: readonly Pick<GatewayRoute, 'match' | 'exposure' | 'serviceName'>[],
) {
  const { listen, gateway, dns, tls } = config
  const rules = new Map<string, FirewallRule>()
  const add = (protocol: 'tcp' | 'udp', port: number, exposure: FirewallRule['exposure'], why: string) => {
    if (port === SSH && protocol === 'tcp') return
    const key = `${protocol} ${port}`
    const known = rules.get(key)
    if (!known) rules.set(key, { protocol, port, exposure, why })
    else if (exposure === 'external') known.exposure = 'external'
  }

  add('tcp', listen.port, 'internal', 'Kalnet itself')
  const web = routes.filter(({ match }) => match.kind === 'http')
  if (gateway.enabled && web.length > 0) {
    const exposure = web.some((route) => route.exposure === 'external') ? 'external' : 'internal'
    add('tcp', gateway.httpPort, exposure, 'Kalnet gateway')
    if (tls.enabled) add('tcp', gateway.httpsPort, exposure, 'Kalnet gateway')
  }
  for (const { match, exposure, serviceName } of gateway.enabled ? routes : [])
    if (match.kind !== 'http') add(match.kind, match.listen, exposure, `Kalnet ${serviceName}`)
  if (dns.enabled)
    for (const protocol of ['udp', 'tcp'] as const) add(protocol, dns.port, 'internal', 'Kalnet names')
  if (tls.enabled) add('udp', MDNS, 'internal', 'Kalnet local name')
  return [...rules.values()].sort(
    (one, other) => one.port - other.port || one.protocol.localeCompare(other.protocol),
  )
}
