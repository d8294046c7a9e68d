/** The ports of a container as its labels keep them: a socket in the folder shared with us, or a number in its own network. */
import type { Address, InstanceSpec, Port } from '@kalnet/contracts/instance'
import type { Handle } from '../platform.ts'

/** A file name, a TCP port as it is, or what else it is with its number. */
type Kept = string | number

function kept({ kind, at }: Port): Kept {
  if ('unix' in at) return at.unix.slice('/run/kalnet/'.length)
  if ('udp' in at) return `udp:${at.udp}`
  return kind === 'display' ? `display:${at.tcp}` : at.tcp
}

/** Numbers in the container's own network are reached by entering it, or by its address; both take root. */
export function portsOf(spec: InstanceSpec, mayEnter: boolean): Record<string, Kept> {
  const entries = spec.ports.map((port) => {
    if (!('unix' in port.at) && !mayEnter) {
      const what = 'tcp' in port.at ? 'TCP' : 'UDP'
      throw new Error(`only root can reach the ${what} port ${port.name} of a container`)
    }
    return [port.name, kept(port)] as const
  })
  return Object.fromEntries(entries)
}

export type Way = { unix: string } | { tcp: number; isDisplay: boolean } | { udp: number }

export function wayTo(handle: Handle, portName: string): Way {
  const at = handle.data[`port.${portName}`]
  if (at === undefined) throw new Error(`it has no port ${portName}`)
  if (typeof at === 'number') return { tcp: at, isDisplay: false }
  const [, kind, number] = /^(udp|display):(\d+)$/.exec(at) ?? []
  if (kind === undefined) return { unix: at }
  return kind === 'udp' ? { udp: Number(number) } : { tcp: Number(number), isDisplay: true }
}

/** By name, for whoever shares this machine's network; a display is for us alone. */
export function addressesAt(host: string | undefined, handle: Handle): Record<string, Address> {
  if (!host) return {}
  const names = Object.keys(handle.data).flatMap((it) => (it.startsWith('port.') ? [it.slice(5)] : []))
  const entries = names.flatMap((name) => {
    const way = wayTo(handle, name)
    if ('udp' in way) return [[name, { host, port: way.udp }] as const]
    return 'tcp' in way && !way.isDisplay ? [[name, { host, port: way.tcp }] as const] : []
  })
  return Object.fromEntries(entries)
}
