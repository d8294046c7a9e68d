/** The parts of Kalnet as services like any other: what they are called, and where they are. Pure. */
import type { Config } from '@kalnet/contracts/config'
import type { Registering } from './registrations.ts'
import type { RegisteredPort } from './store.ts'

const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::'
const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.')

export function platformServices(given: {
  config: Pick<Config, 'listen' | 'gateway' | 'tls' | 'dns'>
  version: string
  /** Of this process; who shares it reaches loopback. */
  machine: string | null
  /** This machine's addresses for others on the network. */
  addresses: readonly string[]
  ttlMs: number
}): Registering[] {
  const { config, version, machine, addresses, ttlMs } = given
  /** Nobody can connect to "everywhere": the first address others know, or loopback. */
  const at = (
    name: string,
    kind: RegisteredPort['kind'],
    listenHost: string,
    port: number,
  ): RegisteredPort => {
    const known = isEverywhere(listenHost) ? (addresses[0] ?? '127.0.0.1') : listenHost
    const host = known === 'localhost' ? '127.0.0.1' : known
    return { name, kind, host, port, ...(machine !== null && isLoopback(host) ? { machine } : {}) }
  }
  const part = (
    name: string,
    title: string,
    capabilities: string[],
    ports: RegisteredPort[],
  ): Registering => ({
    name,
    title,
    instance: 'main',
    ports,
    metadata: { version, tags: ['platform'], capabilities },
    ttlMs,
    weight: 1,
  })
  const { listen, gateway, tls, dns } = config
  const gatewayHost = gateway.host ?? listen.host
  return [
    part('kalnet', 'Kalnet', ['http', 'kalnet-api'], [at('http', 'http', listen.host, listen.port)]),
    ...(gateway.enabled
      ? [
          part(
            'gateway',
            'Gateway',
            ['http'],
            [
              at('http', 'http', gatewayHost, gateway.httpPort),
              ...(tls.enabled ? [at('https', 'tcp', gatewayHost, gateway.httpsPort)] : []),
            ],
          ),
        ]
      : []),
    ...(dns.enabled
      ? [part('names', 'Names', ['dns'], [at('dns', 'udp', dns.host ?? listen.host, dns.port)])]
      : []),
  ]
}
