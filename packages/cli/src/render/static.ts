/** Traefik's static configuration for whoever runs it as a program of its own, reading the rendered routes from a folder. Pure. */
import { tcpEntry, udpEntry } from '@kalnet/server/gateway/render/traefik'
import { stringify } from 'yaml'
import type { OpenPort } from './compose.ts'

/**
 * What Traefik knows in the compose file before it has a key: Kalnet's own address, so that the claim link opens. Its templates fill in
 * the name from the environment (https://doc.traefik.io/traefik/providers/file/#go-templating).
 */
export const traefikAtStart =
  (): string => `# Kalnet's own address, before Traefik may ask for all the others. Made by \`kalnet render\`: what is changed by hand is lost with the next one.
# Certificates of your own go into this folder, too, and into another file of it:
#   tls: { certificates: [{ certFile: /etc/traefik/compose/home.crt, keyFile: /etc/traefik/compose/home.key }] }
${stringify(
  {
    http: {
      routers: {
        start: {
          rule: 'Host(`{{ env "KALNET_HOST" }}`)',
          // The same of the control plane counts more.
          priority: 50_000,
          entryPoints: ['websecure'],
          service: 'start',
          tls: { certResolver: 'letsencrypt' },
        },
      },
      services: {
        start: {
          loadBalancer: { servers: [{ url: 'https://127.0.0.1:7400' }], serversTransport: 'start' },
        },
      },
      serversTransports: { start: { insecureSkipVerify: true } },
    },
  },
  { lineWidth: 0 },
)}`

export function traefikStatic(open: readonly OpenPort[]): string {
  const ports = open.map(({ kind, port }) => [
    kind === 'tcp' ? tcpEntry(port) : udpEntry(port),
    { address: kind === 'tcp' ? `:${port}` : `:${port}/udp` },
  ])
  const file = {
    entryPoints: {
      web: { address: ':80', http: { redirections: { entryPoint: { to: 'websecure', scheme: 'https' } } } },
      websecure: { address: ':443' },
      ...Object.fromEntries(ports),
    },
    // To have changes taken over at once, let it poll instead: providers.http.endpoint, see docs/network.md.
    providers: { file: { directory: '/etc/traefik/dynamic', watch: true } },
    // Its own dashboard, only where the control plane guards it (gateway.traefikHost).
    api: {},
    global: { checkNewVersion: false, sendAnonymousUsage: false },
  }
  return `# Traefik's static configuration. Made by \`kalnet render\`: what is changed by hand is lost with the next one.\n${stringify(file, { lineWidth: 0 })}`
}
