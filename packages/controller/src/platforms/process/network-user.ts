/** Network for an ordinary user, without any privilege: pasta connects a namespace of its own to the outside, or nothing does. */
import { fileURLToPath } from 'node:url'
import { blockedRanges } from './blocked.ts'

/** A documentation address (RFC 5737) under which pasta answers with the host's resolver. */
export const PASTA_RESOLVER = '198.51.100.53'

const INSIDE = fileURLToPath(new URL('./inside-pasta.sh', import.meta.url))

/** What goes before the sandbox's command: nothing is forwarded in, the host's loopback is not mapped, the LAN is unreachable. */
export const pastaCommand = (blocked = blockedRanges()): string[] => [
  ...['pasta', '--config-net', '--no-map-gw', '--quiet', '--ipv4-only'],
  ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
  ...['--dns-forward', PASTA_RESOLVER, '--'],
  ...['sh', INSIDE, ...blocked, '--'],
]

/** The same without pasta: a network that leads nowhere. Its ports and links are reached by sockets that are made inside. */
export const ownNetworkCommand = (): string[] => [
  ...['unshare', '--user', '--map-root-user', '--net', '--'],
  ...['sh', fileURLToPath(new URL('./inside-own.sh', import.meta.url))],
]
