/**
 * Sockets inside an instance's network, for the controller: made there and handed over. Nothing stands between the two ends
 * afterwards.
 */
import { Socket as DatagramSocket } from 'node:dgram'
import { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address } from '@kalnet/contracts/instance'
import type { Datagrams } from '../platform.ts'
import { closeHanded, type InsideTarget, makeInside } from './maker.ts'

/** A connection to a port on the instance's own loopback. */
export async function dialInside(target: InsideTarget, port: number, signal: AbortSignal): Promise<Socket> {
  const [made] = (await makeInside(target, { kind: 'connect', port }, signal)).values()
  if (made instanceof Socket) return made
  throw new Error('no connection was handed over')
}

/** Packets to a UDP port on the instance's own loopback. */
export async function datagramsInside(
  target: InsideTarget,
  port: number,
  signal: AbortSignal,
): Promise<Datagrams> {
  const [made] = (await makeInside(target, { kind: 'datagrams' }, signal)).values()
  if (made instanceof DatagramSocket) return asDatagrams(made, { host: '127.0.0.1', port }, signal)
  throw new Error('no socket was handed over')
}

/** Speaks to one address only; what others send to the socket is not heard. */
export function asDatagrams(socket: DatagramSocket, to: Address, signal: AbortSignal): Datagrams {
  let isOpen = true
  const end = () => {
    if (isOpen) socket.close()
    isOpen = false
    signal.removeEventListener('abort', end)
  }
  signal.addEventListener('abort', end, { once: true })
  // A refusal that came back by ICMP: packets are lost, as packets are.
  socket.on('error', () => undefined)
  if (signal.aborted) end()
  return {
    send(payload) {
      if (isOpen) socket.send(payload, to.port, to.host)
    },
    onMessage(listener) {
      socket.on('message', (payload, from) => {
        if (from.port === to.port && from.address === to.host) listener(payload)
      })
    },
    close: end,
  }
}

export interface Listeners {
  listen(
    instanceId: string,
    target: InsideTarget,
    places: Record<string, Address>,
    take: (name: string, stream: Duplex) => void,
    signal: AbortSignal,
    /** All of it is closed, because one of them failed. */
    broken?: (error: Error) => void,
  ): Promise<void>
  /** The instance is over: a socket that stays open would keep its network in the kernel. */
  close(instanceId: string): void
}

export function createListeners(): Listeners {
  const open = new Map<string, Set<() => void>>()
  return {
    async listen(instanceId, target, places, take, signal, broken) {
      if (Object.keys(places).length === 0) return
      const made = await makeInside(target, { kind: 'listen', places }, signal)
      const end = () => {
        for (const it of made.values()) closeHanded(it)
        open.get(instanceId)?.delete(end)
        signal.removeEventListener('abort', end)
      }
      const its = open.get(instanceId) ?? new Set()
      open.set(instanceId, its.add(end))
      for (const [name, server] of made) {
        server.on('error', (error: Error) => {
          end()
          broken?.(error)
        })
        if (server instanceof Server) server.on('connection', (socket) => take(name, socket))
      }
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
    },
    close(instanceId) {
      for (const end of open.get(instanceId) ?? []) end()
      open.delete(instanceId)
    },
  }
}
