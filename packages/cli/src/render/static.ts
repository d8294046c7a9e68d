/** Traefik's static configuration for whoever runs it as a program of its own, reading the rendered routes from a folder. Pure. */
import { tcpEntry, udpEntry } from '@kalnet/server/gateway/render/traefik'
import { stringify } from 'yaml'
import type { OpenPort } from './compose.ts'

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
    global: { checkNewVersion: false, sendAnonymousUsage: false },
  }
  return `# Traefik's static configuration. Made by \`kalnet render\`: what is changed by hand is lost with the next one.\n${stringify(file, { lineWidth: 0 })}`
}
