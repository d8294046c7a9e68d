/** The names and addresses under which this machine is found on its network. */
import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '@kalnet/contracts/config'
import { type Interfaces, lanInterfaces } from '@kalnet/io/interfaces'

export const HOME_DOMAIN = 'kalnet.home.arpa'
/** What is said on the local network (mDNS). */
const LOCAL_NAME = 'kalnet.local'

/** Listening on every address. */
export const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::'

/** Addresses others on the network can use. */
export const lanAddresses = (interfaces: Interfaces = networkInterfaces()): string[] =>
  Object.values(lanInterfaces(interfaces)).flatMap((all) => all.map((it) => it.address))

/** Everything the certificate is made out to. */
export function certificateNames(
  further: readonly string[],
  listenHost = '0.0.0.0',
  interfaces: Interfaces = networkInterfaces(),
  host = hostname(),
): string[] {
  const own = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)
    ? [host, ...(host.includes('.') ? [] : [`${host}.local`])]
    : []
  return [
    ...new Set([
      HOME_DOMAIN,
      LOCAL_NAME,
      ...own,
      'localhost',
      '127.0.0.1',
      '::1',
      ...lanAddresses(interfaces),
      ...(isEverywhere(listenHost) ? [] : [listenHost]),
      ...further,
    ]),
  ]
}

/** The address to give to others on the network, when https is served everywhere and no other address is set. */
export function lanUrl(config: Config, interfaces: Interfaces = networkInterfaces()): string | undefined {
  const { host, port } = config.listen
  if (!config.tls.enabled || !isEverywhere(host)) return undefined
  const addresses = lanAddresses(interfaces)
  const address = addresses.find((it) => !it.includes(':')) ?? addresses[0]
  if (!address) return undefined
  return `https://${address.includes(':') ? `[${address}]` : address}:${port}`
}
