/** DNS on the wire: a question read with nothing trusted, an answer that fits where it goes (RFC 1035, RFC 6891). */
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet'

export const RCODE = { ok: 0, format: 1, failed: 2, unknownName: 3, notImplemented: 4, refused: 5 } as const
/** Fits every path without fragments (DNS flag day 2020). */
export const UDP_MOST = 1_232
const UDP_PLAIN = 512
const HEADER = 12
/** Of the second flag byte: what a client may say that we give back. */
const RD = 1 << 8
const QR = 1 << 15
const AA = 1 << 10
const TC = 1 << 9
const RA = 1 << 7

export interface Asked {
  id: number
  /** As it was written, capitals and all (some clients hide a secret in them). */
  written: string
  /** In lower case, without the last dot. */
  name: string
  type: string
  class: string
  wantsRecursion: boolean
  /** Name, type and class as they came, byte by byte. */
  question: Buffer
  edns: { size: number; version: number } | null
}
export interface Reply {
  rcode: number
  answers?: Answer[]
  authorities?: Answer[]
  additionals?: Answer[]
  /** It comes from who knows it. */
  authoritative?: boolean
}

/** A name as it stands in a packet: each label after its length. */
const nameBytes = (name: string) =>
  Buffer.concat([
    ...(name === '' ? [] : name.split('.')).flatMap((label) => [
      Buffer.from([label.length]),
      Buffer.from(label),
    ]),
    Buffer.from([0]),
  ])

/** Null: not to be answered at all (an answer itself, or too short to have a number). A number: refuse with this code. */
export function readQuestion(packet: Buffer): Asked | number | null {
  if (packet.length < HEADER) return null
  const flags = packet.readUInt16BE(2)
  if (flags & QR) return null
  if (((flags >> 11) & 0xf) !== 0) return RCODE.notImplemented
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => packet.readUInt16BE(at))
  // One question, and beside it nothing but what belongs to the way (EDNS).
  if (questions !== 1 || answers !== 0 || authorities !== 0 || (additionals ?? 0) > 2) return RCODE.format
  try {
    const whole = decode(packet)
    const question = whole.questions?.[0]
    if (!question) return RCODE.format
    const written = question.name === '.' ? '' : question.name
    // What cannot be written back as it came is nobody's name here.
    const encoded = nameBytes(written)
    if (!/^[!-~]*$/.test(written) || !packet.subarray(HEADER, HEADER + encoded.length).equals(encoded))
      return RCODE.refused
    const option = whole.additionals?.find((one) => one.type === 'OPT')
    return {
      id: packet.readUInt16BE(0),
      written,
      name: written.toLowerCase(),
      type: question.type,
      class: question.class ?? 'IN',
      wantsRecursion: (flags & RD) !== 0,
      question: packet.subarray(HEADER, HEADER + encoded.length + 4),
      edns:
        option?.type === 'OPT'
          ? { size: option.udpPayloadSize, version: (option as { ednsVersion?: number }).ednsVersion ?? 0 }
          : null,
    }
  } catch {
    // Whatever is wrong with it, it is the sender's.
    return RCODE.format
  }
}

/** Nothing but a number and a code: for questions that cannot be read. */
export function refusal(packet: Buffer, rcode: number): Buffer {
  const answer = Buffer.alloc(HEADER)
  packet.copy(answer, 0, 0, 2)
  answer.writeUInt16BE(QR | (packet.readUInt16BE(2) & (RD | 0x7800)) | rcode, 2)
  return answer
}

const optionRecord = (rcode: number): Answer =>
  ({
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_MOST,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }) as unknown as Answer

/** `most`: how long it may be (`roomFor`); what does not fit says that it was cut, and is asked again by TCP. */
export function writeReply(asked: Asked, reply: Reply, most: number): Buffer {
  const flags =
    QR | (reply.authoritative ? AA : 0) | (asked.wantsRecursion ? RD : 0) | RA | (reply.rcode & 0xf)
  const options = asked.edns ? [optionRecord(reply.rcode)] : []
  const questions = [{ name: asked.written, type: asked.type, class: asked.class }] as Question[]
  const packet = (more: Partial<Packet>, also = 0) => {
    const buffer = encode({ id: asked.id, type: 'response', questions, ...more })
    // The flags whole, by ourselves: what they are is not left to a library's idea.
    buffer.writeUInt16BE(flags | also, 2)
    asked.question.copy(buffer, HEADER)
    return buffer
  }
  const { authorities = [], additionals = [] } = reply
  // The name as it was written: some resolvers take no other (they hide a secret in its capitals).
  const answers = (reply.answers ?? []).map((one) =>
    one.name === asked.name ? { ...one, name: asked.written } : one,
  )
  const whole = packet({ answers, authorities, additionals: [...additionals, ...options] })
  if (whole.length <= most) return whole
  const bare = packet({ answers, authorities, additionals: options })
  if (bare.length <= most) return bare
  return packet({ additionals: options }, TC)
}

export const roomFor = (asked: Asked, transport: 'udp' | 'tcp') =>
  transport === 'tcp' ? 65_535 : Math.max(UDP_PLAIN, Math.min(asked.edns?.size ?? UDP_PLAIN, UDP_MOST))
