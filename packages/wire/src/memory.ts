/** The in-memory twin of link and raw streams: the same promises without a network, and faults on demand. For tests. */
import { type Duplex, duplexPair } from 'node:stream'
import {
  challengeText,
  type FromController,
  fromController,
  PROTOCOL,
  type ToController,
  toController,
} from '@kalnet/contracts/controller'
import { fail } from '@kalnet/contracts/errors'
import type { Link, LinkOptions } from './link.ts'
import { createReader } from './messages.ts'
import type { DialOptions } from './raw.ts'

export interface MemoryPeer {
  readonly controllerId: string
  send(message: ToController): boolean
  /** Ends this connection; the controller's side comes back by itself while the wire is whole. */
  close(reason: string): void
}
/** What happens to a message on its way: deliver it 0, 1 or more times, now or later. */
export type Mangle = (message: ToController | FromController, deliver: () => void) => void

export interface MemoryWire {
  /** Takes the place of connectLink. */
  connectLink(options: LinkOptions): Link
  /** Takes the place of dialRaw. */
  dialRaw(options: DialOptions): Promise<Duplex>
  /** The control plane's side, set by the test. */
  onLink: (peer: MemoryPeer) => void
  onMessage: (message: FromController, peer: MemoryPeer) => void
  onClose: (peer: MemoryPeer, reason: string) => void
  /** Gives true when the token is awaited; then it gets the stream. */
  onRaw: (token: string, stream: Duplex) => boolean
  /** null: messages arrive once, in order. */
  mangle: Mangle | null
  /** Cuts everything; nothing connects until heal(). */
  cut(reason?: string): void
  heal(): void
}

const readTo = createReader(toController)
const readFrom = createReader(fromController)

/** Messages pass as text through the same readers as on the real link, so what breaks there breaks here. */
export function createMemoryWire(): MemoryWire {
  let whole = true
  const waiting = new Set<() => void>()
  const connections = new Set<(reason: string) => void>()
  const raws = new Set<Duplex>()

  function carry<M extends ToController | FromController>(message: M, arrive: (text: string) => void): void {
    const text = JSON.stringify(message)
    const deliver = () => queueMicrotask(() => arrive(text))
    if (wire.mangle) wire.mangle(message, deliver)
    else deliver()
  }

  function connect(
    options: LinkOptions,
    over: () => void,
  ): { send: Link['send']; close(reason: string): void } {
    let open = true
    const { controllerId } = options.identity
    const close = (reason: string) => {
      if (!open) return
      open = false
      connections.delete(close)
      options.onDown(reason)
      wire.onClose(peer, reason)
      over()
    }
    const peer: MemoryPeer = {
      controllerId,
      close,
      send(message) {
        if (open)
          carry(message, (text) => {
            const read = readTo(text)
            if (open && read.kind === 'message') options.onMessage(read.message)
          })
        return open
      },
    }
    connections.add(close)
    wire.onLink(peer)
    return {
      close,
      send(message) {
        if (open)
          carry(message, (text) => {
            const read = readFrom(text)
            if (!open || read.kind === 'unknown') return
            if (read.kind === 'message') wire.onMessage(read.message, peer)
            else close(read.problem)
          })
        return open
      },
    }
  }

  const wire: MemoryWire = {
    onLink: () => undefined,
    onMessage: () => undefined,
    onClose: () => undefined,
    onRaw: () => false,
    mangle: null,
    connectLink(options) {
      const { signal } = options
      let present: { send: Link['send']; close(reason: string): void } | null = null
      const again = () => {
        present = null
        if (signal.aborted) return
        if (whole) queueMicrotask(up)
        else waiting.add(up)
      }
      const up = () => {
        if (present || signal.aborted) return
        if (!whole) return void waiting.add(up)
        // The proof is made as on the real link, so that an identity that cannot sign is noticed.
        void options.identity.sign(challengeText(`memory-${PROTOCOL}`, options.url))
        present = connect(options, again)
        options.onUp()
      }
      const ended = new Promise<void>((resolve) => {
        const onAbort = () => {
          waiting.delete(up)
          present?.close('stopped')
          resolve()
        }
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      })
      queueMicrotask(up)
      return { send: (message) => present?.send(message) ?? false, up: () => present !== null, ended }
    },
    async dialRaw({ token, signal }) {
      if (!whole || signal.aborted) throw fail('stream.unreachable', { problem: 'the wire is cut' })
      const [ours, theirs] = duplexPair()
      if (!wire.onRaw(token, theirs))
        throw fail('stream.unreachable', { problem: 'the token is not awaited' })
      for (const [end, other] of [[ours, theirs] as const, [theirs, ours] as const]) {
        raws.add(end)
        end.once('close', () => {
          raws.delete(end)
          // As on a real connection: when one end is cut, so is the other; after an orderly end what is on its way arrives.
          if (!end.readableEnded || !end.writableFinished) other.destroy()
        })
      }
      return ours
    },
    cut(reason = 'the wire was cut') {
      whole = false
      for (const close of [...connections]) close(reason)
      for (const raw of raws) raw.destroy()
    },
    heal() {
      whole = true
      const ready = [...waiting]
      waiting.clear()
      for (const up of ready) queueMicrotask(up)
    },
  }
  return wire
}
