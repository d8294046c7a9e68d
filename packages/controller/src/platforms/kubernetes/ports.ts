/** The ports of a pod as it notes them: a port of its own loopback, or a socket inside that only a program inside reaches. */
import type { InstanceSpec, Port } from '@kalnet/contracts/instance'
import type { Handle } from '../platform.ts'

/** The usual one of the first display; nobody outside of the pod reaches it. */
export const DISPLAY_PORT = 5900

/** Said beside the ports of a pod that is reached by its address. */
export const DIRECT = 'direct'
export const isDirect = (handle: Handle): boolean => handle.data.reach === DIRECT

/** `display`: for whoever knows the secret; on the loopback, or by TLS where it is direct. */
export type Way = { display: number } | { tcp: number } | { udp: number } | { unix: string }

function kept({ kind, at }: Port): string {
  if ('udp' in at) return `udp:${at.udp}`
  if ('tcp' in at) return `tcp:${at.tcp}`
  return kind === 'display' ? `display:${DISPLAY_PORT}` : `unix:${at.unix}`
}

/** A screen of ours listens on a socket; a cluster shares no folder with us, so there it listens on the loopback. */
export const hasScreen = (spec: InstanceSpec): boolean =>
  spec.ports.some((it) => it.kind === 'display' && 'unix' in it.at)

export const portsOf = (spec: InstanceSpec): Record<string, string> =>
  Object.fromEntries(spec.ports.map((port) => [port.name, kept(port)]))

const PREFIX = 'port.'
export const waysOf = (handle: Handle): Record<string, Way> =>
  Object.fromEntries(
    Object.keys(handle.data)
      .filter((it) => it.startsWith(PREFIX))
      .map((it) => [it.slice(PREFIX.length), wayTo(handle, it.slice(PREFIX.length))]),
  )

export function wayTo(handle: Handle, portName: string): Way {
  const at = String(handle.data[`${PREFIX}${portName}`] ?? '')
  const colon = at.indexOf(':')
  const [kind, where] = [at.slice(0, colon), at.slice(colon + 1)]
  if (kind === 'unix') return { unix: where }
  if (kind === 'tcp') return { tcp: Number(where) }
  if (kind === 'udp') return { udp: Number(where) }
  if (kind === 'display') return { display: Number(where) }
  throw new Error(`it has no port ${portName}`)
}
