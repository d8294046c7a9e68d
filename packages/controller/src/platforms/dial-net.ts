/** The ways to an instance's TCP and UDP ports: by its address on this machine where it has one, else by a socket made inside. */
import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import type { Address, Port } from '@kalnet/contracts/instance'
import { connected } from './dial-unix.ts'
import type { Datagrams } from './platform.ts'
import { asDatagrams, dialInside } from './process/inside.ts'
import type { InsideTarget } from './process/maker.ts'

/** A display is for us alone. */
export const addressesOf = (address: string | undefined, ports: readonly Port[]): Record<string, Address> => {
  if (!address) return {}
  const entries = ports.flatMap(({ name, kind, at }) => {
    if (kind === 'display' || 'unix' in at) return []
    return [[name, { host: address, port: 'tcp' in at ? at.tcp : at.udp }] as const]
  })
  return Object.fromEntries(entries)
}

export async function dialNet(
  address: string | undefined,
  port: number,
  inside: () => Promise<InsideTarget>,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted()
  if (address) {
    try {
      return await connected(connect({ host: address, port, noDelay: true }), signal)
    } catch (error) {
      // Nobody on its address: perhaps on its loopback alone.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
    }
  }
  return dialInside(await inside(), port, signal)
}

export async function datagramsAt(to: Address, signal: AbortSignal): Promise<Datagrams> {
  const socket = createSocket('udp4')
  // Bound before anything is sent, so that an answer finds it.
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(0, () => resolve(socket.off('error', reject) && undefined))
  })
  return asDatagrams(socket, to, signal)
}
