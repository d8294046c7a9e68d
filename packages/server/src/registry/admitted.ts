/** Which addresses a program may give for itself: the gateway will connect there, so it must not be led to what only we reach. */
import { isIP } from 'node:net'
import { isGlobal, parseNetworks } from '@kalnet/io/addresses'

/** Networks of homes and offices (RFC 1918, RFC 6598, RFC 4193). */
const HOME = parseNetworks(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'])

export interface Admission {
  /** `outbound.allow`: what the house has allowed by name. */
  allow: readonly string[]
  /** Our own instances' networks: what is there is reached by its service. */
  ours: readonly string[]
}

/**
 * Names are not taken: they could lead elsewhere tomorrow. Never loopback, link-local (169.254.169.254 answers for whole clouds),
 * multicast or our instances, unless the house allows the address.
 */
export function createAdmission({ allow, ours }: Admission): (host: string) => string | null {
  const allowed = parseNetworks(allow)
  const own = parseNetworks(ours)
  return (host) => {
    const family = isIP(host)
    if (family === 0) return `${host.slice(0, 60)} is not an IP address`
    const kind = family === 6 ? 'ipv6' : 'ipv4'
    if (allowed.check(host, kind)) return null
    if (own.check(host, kind)) return `${host} belongs to an instance of Kalnet`
    if (isGlobal(host) || HOME.check(host, kind)) return null
    return `${host} is neither of a home network nor of the open internet`
  }
}
