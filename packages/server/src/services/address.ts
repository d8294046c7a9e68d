/** Where people open a service: by host name over TLS, on loopback by a name that browsers keep on the machine. Pure. */
import type { Config } from '@kalnet/contracts/config'

export interface ServiceAddress {
  host: string
  url: string
}

export const addressOfService =
  (config: Pick<Config, 'domain' | 'gateway' | 'tls'>) =>
  (name: string): ServiceAddress => {
    const { gateway, tls, domain } = config
    if (!tls.enabled) {
      const host = `${name}.localhost`
      return { host, url: `http://${host}${gateway.httpPort === 80 ? '' : `:${gateway.httpPort}`}` }
    }
    const host = `${name}.${domain}`
    const port = gateway.publicHttpsPort ?? gateway.httpsPort
    return { host, url: `https://${host}${port === 443 ? '' : `:${port}`}` }
  }
