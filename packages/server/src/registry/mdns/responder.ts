/**
 * `kalnet.local` on the networks this machine is on. Made of dns-packet and sockets: the usual library tells every address of the
 * machine, those of container bridges too, and knows no way out when somebody else has the name.
 */
import { createSocket, type Socket } from 'node:dgram'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { Clock } from '@kalnet/io/clock'
import { lanInterfaces } from '@kalnet/io/interfaces'
import type { Log } from '@kalnet/io/log'
import { type Answer, type DecodedPacket, decode, encode, type Packet } from 'dns-packet'
import { onNetworkOf } from '../dns/addresses.ts'
import { answerTo, GROUP, isTaken, MDNS_PORT, nameOf, recordsOf, type Said } from './records.ts'

const PROBES = 3
const PROBE_MS = 250
const ANNOUNCE_MS = 1_000
/** Networks come and go (Wi-Fi, a cable): looked at this often. */
const LOOK_MS = 10_000
const NAMES_MOST = 50

export interface Responder {
  /** The name that is ours now; null while it is being found. */
  name(): string | null
  run(signal: AbortSignal): Promise<void>
}

export function createResponder(options: {
  said: Omit<Said, 'name'>
  clock: Clock
  log: Log
  interfaces?(): ReturnType<typeof networkInterfaces>
  port?: number
}): Responder {
  const { clock, log, port = MDNS_PORT } = options
  const networks = () => lanInterfaces(options.interfaces?.() ?? networkInterfaces())
  let name: string | null = null
  let candidate = nameOf(1)
  let conflict = false
  let ears: Socket | null = null
  /** By the interface's first IPv4 address: what is sent there goes out there. */
  const mouths = new Map<string, Socket>()

  const addressesOf = (all: readonly NetworkInterfaceInfo[]) => all.map((it) => it.address)
  const ours = () => Object.values(networks()).flatMap(addressesOf)
  const firstOf = (all: readonly NetworkInterfaceInfo[]) => all.find((it) => it.family === 'IPv4')?.address
  const quiet = (error: unknown) =>
    log.debug(
      { problem: error instanceof Error ? error.message : String(error) },
      'the local network did not take a word',
    )

  function say(at: string, packet: Packet, to = { address: GROUP, port }) {
    const mouth = mouths.get(at)
    // A network that went away between looking and speaking.
    mouth?.send(
      encode({ flags: packet.type === 'response' ? 0x400 : 0, ...packet }),
      to.port,
      to.address,
      (error) => {
        if (error) quiet(error)
      },
    )
  }
  function sayEverywhere(make: (addresses: string[]) => Packet) {
    for (const all of Object.values(networks())) {
      const at = firstOf(all)
      if (at) say(at, make(addressesOf(all)))
    }
  }
  const announce = (ttl?: number) => {
    const own = name
    if (own)
      sayEverywhere((addresses) => ({
        type: 'response',
        answers: recordsOf({ ...options.said, name: own }, addresses, ttl),
      }))
  }

  function hear(bytes: Buffer, from: { address: string; port: number }) {
    let packet: DecodedPacket
    try {
      packet = decode(bytes)
    } catch {
      // Not for us, whatever it is.
      return
    }
    if (packet.type === 'response') {
      if (isTaken(packet, candidate, ours())) conflict = true
      return
    }
    // Who is on none of our networks is not answered (RFC 6762 §11).
    const near = onNetworkOf(from.address, networks())
    const at = firstOf(near)
    if (!name || !at) return
    const isLegacy = from.port !== port
    const records: Answer[] = recordsOf({ ...options.said, name }, addressesOf(near))
    const found = answerTo(packet, records, isLegacy)
    if (!found) return
    if (isLegacy)
      say(at, { type: 'response', id: packet.id ?? 0, questions: packet.questions ?? [], ...found }, from)
    else say(at, { type: 'response', id: 0, ...found })
  }

  async function openMouth(address: string): Promise<void> {
    const socket = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(port, address, resolve)
    })
    socket.removeAllListeners('error')
    socket.on('error', quiet)
    socket.setMulticastInterface(address)
    socket.setMulticastTTL(255)
    mouths.set(address, socket)
    ears?.addMembership(GROUP, address)
  }
  /** New networks are joined, those that are gone forgotten; whether anything changed. */
  async function look(): Promise<boolean> {
    const wanted = new Set(Object.values(networks()).flatMap((all) => firstOf(all) ?? []))
    let changed = false
    for (const [address, socket] of mouths)
      if (!wanted.has(address)) {
        socket.close()
        mouths.delete(address)
        changed = true
      }
    for (const address of wanted)
      if (!mouths.has(address)) {
        changed = true
        await openMouth(address).catch(quiet)
      }
    return changed
  }

  /** Asks three times whether somebody has it; the first name nobody answers for is ours (§8.1). */
  async function settle(signal: AbortSignal) {
    name = null
    for (let attempt = 1; attempt <= NAMES_MOST; attempt++) {
      candidate = nameOf(attempt)
      conflict = false
      for (let probe = 0; probe < PROBES && !conflict; probe++) {
        sayEverywhere(() => ({ type: 'query', questions: [{ type: 'ANY' as 'A', name: candidate }] }))
        await clock.sleep(PROBE_MS, signal)
      }
      if (!conflict) break
    }
    name = candidate
    log.info({ name }, 'this house is found on the local network')
    announce()
    await clock.sleep(ANNOUNCE_MS, signal)
    announce()
  }

  return {
    name: () => name,
    async run(signal) {
      const socket = createSocket({ type: 'udp4', reuseAddr: true })
      ears = socket
      try {
        await new Promise<void>((resolve, reject) => {
          socket.once('error', reject)
          socket.bind(port, '0.0.0.0', resolve)
        })
        socket.removeAllListeners('error')
        socket.on('error', quiet)
        socket.on('message', hear)
        await look()
        await settle(signal)
        while (!signal.aborted) {
          await clock.sleep(conflict ? 0 : LOOK_MS, signal)
          if (await look()) announce()
          if (conflict) await settle(signal)
        }
      } finally {
        // Goodbye: nobody keeps a name that leads nowhere.
        announce(0)
        await clock.sleep(50)
        for (const mouth of mouths.values()) mouth.close()
        socket.close()
      }
    },
  }
}
