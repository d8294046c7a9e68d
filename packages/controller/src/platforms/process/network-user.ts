/** Network for an ordinary user: pasta connects a namespace of its own to the outside, without any privilege. */
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
