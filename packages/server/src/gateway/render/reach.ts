/** Where things are for a proxy of others: which addresses of instances it can connect to, and where it finds the control plane. */
import type { Config } from '@kalnet/contracts/config'
import type { Endpoint } from '@kalnet/contracts/gateway'
import type { RenderOptions } from './traefik.ts'

/** `machine`: whose network the proxy is in; null: it is said to reach all. */
export const reachFrom =
  (machine: string | null): RenderOptions['reach'] =>
  ({ direct }: Endpoint) =>
    direct && (machine === null || direct.machine === null || direct.machine === machine)
      ? { host: direct.host, port: direct.port }
      : null

/** The control plane as programs on its own machine reach it. */
export function insideAddress({ listen, tls }: Pick<Config, 'listen' | 'tls'>): string {
  const everywhere = listen.host === '0.0.0.0' || listen.host === '::'
  const host = everywhere ? '127.0.0.1' : listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return `${tls.enabled ? 'https' : 'http'}://${host}:${listen.port}`
}
