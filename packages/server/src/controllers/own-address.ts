/** Is this address one of ours? Controllers sign the address they were told; a stranger's address proves a relay attack. */
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '@kalnet/contracts/config'

const isLoopback = (host: string) => host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))

export function ownAddress(config: Pick<Config, 'listen' | 'publicUrl' | 'tls'>): (url: string) => boolean {
  const publicOrigin = config.publicUrl ? new URL(config.publicUrl).origin : null
  return (text) => {
    if (!URL.canParse(text)) return false
    const url = new URL(text)
    if (publicOrigin && url.origin === publicOrigin) return true
    const scheme = config.tls.enabled ? 'https:' : 'http:'
    const port = Number(url.port || (scheme === 'https:' ? 443 : 80))
    if (url.protocol !== scheme || port !== config.listen.port) return false
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
    // Asked each time: a laptop changes its addresses.
    if (isIP(host)) {
      const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address))
      return isLoopback(host) || own.includes(host)
    }
    const machine = hostname().toLowerCase()
    return [
      'localhost',
      machine,
      `${machine}.local`,
      ...config.tls.names.map((name) => name.toLowerCase()),
    ].includes(host)
  }
}
