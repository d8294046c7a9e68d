/** Other people's names: asked of the resolvers of this machine, with limits, and kept as long as they say. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIP } from 'node:net'
import type { Clock } from '@kalnet/io/clock'
import { type Asked, RCODE, refusal } from './packet.ts'
import { readTimes, withAge } from './times.ts'

const ANSWER_MS = 2_000
const AT_ONCE = 100
const KEPT_MOST = 2_000
const KEPT_SECONDS = 300
const FAILED_SECONDS = 5

interface Kept {
  packet: Buffer
  at: number
  until: number
}
export interface Forwarder {
  /** The whole answer, for any transport; `null` when too much is asked at once. */
  ask(query: Buffer, asked: Asked, signal: AbortSignal): Promise<Buffer | null>
}

/** `address` or `address:port`; IPv6 with a port in brackets. */
export function parseResolver(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^:]+)|(.*:.*))(?::(\d{1,5}))?$/.exec(text)
  const host = isIP(text) ? text : (match?.[1] ?? match?.[2] ?? '')
  const port = isIP(text) ? 53 : Number(match?.[4] ?? 53)
  return isIP(host) && port > 0 && port < 65_536 ? { host, port } : null
}

export function createForwarder({
  clock,
  resolvers,
}: {
  clock: Clock
  resolvers: readonly string[]
}): Forwarder {
  const upstream = resolvers.flatMap((text) => parseResolver(text) ?? [])
  const kept = new Map<string, Kept>()
  const asking = new Map<string, Promise<Buffer | null>>()
  const now = () => clock.now().getTime() / 1000

  /** The same question, whoever asks: what our options and flags say is part of it. */
  const keyOf = (query: Buffer, asked: Asked) =>
    `${asked.name} ${asked.type} ${asked.class} ${query.readUInt16BE(2)} ${query.subarray(12 + asked.question.length).toString('base64')}`

  async function askAll(query: Buffer, asked: Asked, signal: AbortSignal): Promise<Buffer | null> {
    for (const { host, port } of upstream) {
      const own = Buffer.from(query)
      // Not the client's number, and from a port of its own each time: who cannot see the question cannot answer it.
      own.writeUInt16BE(randomInt(65_536), 0)
      const isAnswer = (answer: Buffer) =>
        answer.length >= 12 + asked.question.length &&
        answer.readUInt16BE(0) === own.readUInt16BE(0) &&
        (answer.readUInt16BE(2) & 0x8000) !== 0 &&
        answer.subarray(12, 12 + asked.question.length).equals(asked.question)
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
      try {
        const first = await byUdp(own, host, port, isAnswer, limit)
        const isCut = (first.readUInt16BE(2) & 0x0200) !== 0
        return isCut ? await byTcp(own, host, port, isAnswer, limit) : first
      } catch {
        // This one does not answer: the next does, or nobody, which is said below.
      }
    }
    return null
  }

  async function fetch_(key: string, query: Buffer, asked: Asked, signal: AbortSignal) {
    const packet = await askAll(query, asked, signal)
    const times = packet ? readTimes(packet) : null
    const rcode = packet ? packet.readUInt16BE(2) & 0xf : RCODE.failed
    const seconds =
      rcode !== RCODE.ok && rcode !== RCODE.unknownName
        ? FAILED_SECONDS
        : Math.min(times?.least ?? 0, KEPT_SECONDS)
    if (packet && seconds > 0) {
      if (kept.size >= KEPT_MOST) kept.delete(kept.keys().next().value ?? '')
      kept.set(key, { packet, at: now(), until: now() + seconds })
    }
    return packet
  }

  return {
    async ask(query, asked, signal) {
      const key = keyOf(query, asked)
      const known = kept.get(key)
      let packet: Buffer | null
      if (known && known.until > now()) packet = withAge(known.packet, Math.floor(now() - known.at))
      else {
        kept.delete(key)
        let common = asking.get(key)
        if (!common) {
          if (asking.size >= AT_ONCE) return null
          common = fetch_(key, query, asked, signal).finally(() => asking.delete(key))
          asking.set(key, common)
        }
        packet = await common
      }
      if (!packet) return refusal(query, RCODE.failed)
      const answer = Buffer.from(packet)
      answer.writeUInt16BE(asked.id, 0)
      // The name as this client wrote it.
      asked.question.copy(answer, 12)
      return answer
    },
  }
}

const abortOf = (signal: AbortSignal, work: () => void) =>
  signal.aborted ? work() : signal.addEventListener('abort', work, { once: true })

function byUdp(
  query: Buffer,
  host: string,
  port: number,
  isAnswer: (answer: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
    const end = (finish: () => void) => {
      signal.removeEventListener('abort', late)
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      socket.close()
      finish()
    }
    const late = () => end(() => reject(new Error('no answer in time')))
    abortOf(signal, late)
    socket.on('error', (error) => end(() => reject(error)))
    // Connected: the kernel drops what others send.
    socket.connect(port, host, () => socket.send(query))
    socket.on('message', (answer) => {
      if (isAnswer(answer)) end(() => resolve(answer))
    })
  })
}

function byTcp(
  query: Buffer,
  host: string,
  port: number,
  isAnswer: (answer: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const pieces: Buffer[] = []
    const end = (finish: () => void) => {
      signal.removeEventListener('abort', late)
      socket.destroy()
      finish()
    }
    const late = () => end(() => reject(new Error('no answer in time')))
    abortOf(signal, late)
    socket.once('error', (error) => end(() => reject(error)))
    socket.once('close', () => end(() => reject(new Error('closed without an answer'))))
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece)
      const whole = Buffer.concat(pieces)
      if (whole.length < 2 || whole.length < 2 + whole.readUInt16BE(0)) return
      const answer = whole.subarray(2, 2 + whole.readUInt16BE(0))
      end(() => (isAnswer(answer) ? resolve(answer) : reject(new Error('an answer to something else'))))
    })
  })
}
