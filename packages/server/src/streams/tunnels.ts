/** Tunnels: a connection to any instance's port, wherever it runs: its controller is asked, and dials back. */
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { fail } from '@kalnet/contracts/errors'
import { DIAL_PATH } from '@kalnet/contracts/stream'
import type { Clock } from '@kalnet/io/clock'
import { acceptRaw } from '@kalnet/wire/raw'
import { v7 as newId } from 'uuid'
import type { Http } from '../core/http.ts'

export interface TunnelsOptions {
  http: Pick<Http, 'upgrade'>
  clock: Clock
  /** Tells the controller to dial back; false when it is not connected. */
  openOnController(
    controllerId: string,
    request: { streamId: string; instanceId: string; port: string; token: string },
  ): boolean
}
export interface Tunnels {
  /** Throws stream.unreachable, with the controller's own words where it said some. */
  dial(
    where: { controllerId: string; instanceId: string; port: string },
    signal: AbortSignal,
  ): Promise<Duplex>
  /** Whoever comes to the dial door with the token, once; rejects with stream.unreachable when nobody does in time. */
  expect(signal: AbortSignal): { token: string; raw: Promise<Duplex> }
  /** The controller could not open it. */
  failed(streamId: string, problem: string): void
  /** Those that wait for their controller. */
  waiting(): number
}
interface Awaited {
  take(raw: Duplex): void
  refuse(problem: string): void
}

/** How long a controller may take to dial back. */
const DIAL_MS = 10_000

export function createTunnels({ http, clock, openOnController }: TunnelsOptions): Tunnels {
  /**
   * Dial token → who waits for it. In memory only: the replica that issued the token also holds the other end, so the dial
   * must come back to it. With several replicas, `stream.open` has to carry that replica's own address.
   */
  const byToken = new Map<string, Awaited>()
  const byStream = new Map<string, Awaited>()

  http.upgrade(DIAL_PATH, {
    origin: 'none',
    signIn: 'none',
    handle(request, socket, head) {
      const offer = acceptRaw(request, socket, head)
      const awaited = offer && byToken.get(offer.token)
      if (offer && awaited) awaited.take(offer.accept())
      else offer?.refuse(fail('ticket.invalid'))
    },
  })

  /** `begin` asks the controller to come; false when it cannot be asked. */
  const wait = (token: string, streamId: string, signal: AbortSignal, begin: () => boolean) =>
    new Promise<Duplex>((resolve, reject) => {
      const over = new AbortController()
      const settle = () => {
        byToken.delete(token)
        byStream.delete(streamId)
        signal.removeEventListener('abort', onAbort)
        over.abort()
      }
      const awaited: Awaited = {
        take(raw) {
          settle()
          resolve(raw)
        },
        refuse(problem) {
          settle()
          reject(fail('stream.unreachable', { problem }))
        },
      }
      const onAbort = () => awaited.refuse('it was given up')
      if (signal.aborted) return onAbort()
      byToken.set(token, awaited)
      byStream.set(streamId, awaited)
      signal.addEventListener('abort', onAbort, { once: true })
      if (!begin()) return awaited.refuse('the machine it runs on is not connected')
      clock.sleep(DIAL_MS, over.signal).then(
        () => awaited.refuse('the machine it runs on did not answer'),
        // Aborted: dialled back, refused or given up in time.
        () => undefined,
      )
    })

  return {
    expect(signal) {
      const token = randomBytes(32).toString('base64url')
      return { token, raw: wait(token, newId(), signal, () => true) }
    },
    dial({ controllerId, instanceId, port }, signal) {
      const token = randomBytes(32).toString('base64url')
      const streamId = newId()
      return wait(token, streamId, signal, () =>
        openOnController(controllerId, { streamId, instanceId, port, token }),
      )
    },
    failed: (streamId, problem) => byStream.get(streamId)?.refuse(problem),
    waiting: () => byToken.size,
  }
}
