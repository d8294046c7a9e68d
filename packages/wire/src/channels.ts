/**
 * Several byte streams in one WebSocket, as Kubernetes carries them: the first byte of each message says which (channel.k8s.io). With
 * back-pressure both ways: a reader that is slow stops the socket, a write is done when the socket has it.
 */
import { Duplex } from 'node:stream'
import { WebSocket } from 'ws'

export interface ChannelsOptions {
  url: URL
  headers: Record<string, string>
  tls: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer; rejectUnauthorized?: boolean }
  protocols: readonly string[]
  signal: AbortSignal
  /** Default 15 s. */
  timeoutMs?: number
}

export interface Channels {
  /** What comes on the others, message by message. */
  onMessage(listener: (channel: number, payload: Buffer) => void): void
  /**
   * What is written goes out on one channel, what comes in on the other is read; it ends with the socket, and breaks when that one was
   * cut without a word. `skip`: bytes that come first and belong to the protocol.
   */
  stream(out: number, incoming: number, skip?: number): Duplex
  close(): void
  /** Resolves when the socket is gone, however that came. */
  closed: Promise<void>
}

/** Refused with a status of HTTP: that it is, and the text that came with it. */
export class ChannelsRefused extends Error {
  readonly status: number
  constructor(status: number, text: string) {
    super(text || `refused with ${status}`)
    this.status = status
  }
}

const MOST_TEXT = 4096
/** RFC 6455, 7.1.5: nobody said that it closes. */
const WITHOUT_A_WORD = 1006
/** A forwarded connection carries no more than this in one message. */
const PIECE = 64 * 1024

export function openChannels(options: ChannelsOptions): Promise<Channels> {
  const { url, headers, tls, protocols, signal, timeoutMs = 15_000 } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const address = new URL(url)
    address.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
    const socket = new WebSocket(address, [...protocols], {
      ...tls,
      headers,
      handshakeTimeout: timeoutMs,
      perMessageDeflate: false,
    })
    socket.binaryType = 'nodebuffer'
    const channels = over(socket)
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    const onAbort = () => {
      socket.terminate()
      settle(() => reject(signal.reason))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('unexpected-response', (_, answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (piece: string) => {
        text = (text + piece).slice(0, MOST_TEXT)
      })
      answer.on('close', () => {
        socket.terminate()
        settle(() => reject(new ChannelsRefused(answer.statusCode ?? 0, text)))
      })
    })
    // Once it is open, its end tells: an error is always followed by it.
    socket.on('error', (error) => settle(() => reject(error)))
    socket.once('open', () => {
      // What comes at once waits for whoever listens.
      socket.pause()
      settle(() => resolve(channels))
    })
  })
}

function over(socket: WebSocket): Channels {
  const listeners = new Set<(channel: number, payload: Buffer) => void>()
  const readers = new Map<number, (payload: Buffer) => void>()
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let isCut = false
  /** After all that listen were told of in one go. */
  let begin: (() => void) | null = () => {
    begin = null
    setImmediate(() => socket.resume())
  }
  socket.once('close', (code) => {
    isCut = code === WITHOUT_A_WORD
    resolve()
  })
  socket.on('message', (message: Buffer) => {
    if (message.length === 0) return
    const [channel, payload] = [message[0]!, message.subarray(1)]
    const reader = readers.get(channel)
    if (reader) reader(payload)
    else for (const listener of listeners) listener(channel, payload)
  })
  return {
    onMessage(listener) {
      listeners.add(listener)
      begin?.()
    },
    closed,
    close: () => socket.close(),
    stream(out, incoming, skip = 0) {
      begin?.()
      let toSkip = skip
      const send = (chunk: Buffer, done: (error?: Error | null) => void) => {
        const message = Buffer.allocUnsafe(chunk.length + 1)
        message[0] = out
        chunk.copy(message, 1)
        socket.send(message, done)
      }
      const sendAll: typeof send = (chunk, done) => {
        if (chunk.length <= PIECE) return send(chunk, done)
        const rest = chunk.subarray(PIECE)
        send(chunk.subarray(0, PIECE), (error) => (error ? done(error) : sendAll(rest, done)))
      }
      const stream = new Duplex({
        allowHalfOpen: false,
        read: () => socket.resume(),
        write: (chunk: Buffer, _encoding, done) => sendAll(chunk, done),
        final: (done) => {
          socket.close()
          done()
        },
        destroy(error, done) {
          socket.terminate()
          done(error)
        },
      })
      readers.set(incoming, (payload) => {
        const bytes = payload.subarray(Math.min(toSkip, payload.length))
        toSkip -= payload.length - bytes.length
        if (bytes.length > 0 && !stream.push(bytes)) socket.pause()
      })
      void closed.then(() => {
        // What breaks off is never taken for all there was.
        if (isCut) stream.destroy(new Error('the API of the cluster broke it off'))
        else stream.push(null)
      })
      return stream
    },
  }
}
