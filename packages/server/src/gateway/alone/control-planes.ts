/** The control planes that a gateway of its own asks: the one that answered last, and when it does not, the next. */
import { Agent, request as askPlain, type IncomingMessage } from 'node:http'
import { request as askSecure, Agent as SecureAgent } from 'node:https'
import { connect, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectSecure } from 'node:tls'
import { ERRORS, type ErrorCode, errorBody, fail, KalnetError } from '@kalnet/contracts/errors'
import type { AnswerOf, AnyRoute, BodyIn, QueryOf } from '@kalnet/contracts/route'
import type { Clock } from '@kalnet/io/clock'
import { dialRaw } from '@kalnet/wire/raw'

/** Of an answer: a snapshot of ten thousand routes has twenty. */
const ANSWER_BYTES = 128 * 1_048_576
const CALL_MS = 5_000
const CONNECT_MS = 5_000
/** A key that was refused is not shown again for so long: wrong ones are counted, for all who share our network. */
const REFUSED_MS = 10_000

export interface Call<R> {
  query?: Partial<QueryOf<R>>
  body?: BodyIn<R>
  signal: AbortSignal
  timeoutMs?: number
}
export interface ControlPlanes {
  /** Throws what it answered, or `gateway.away` when none answers. */
  call<R extends AnyRoute>(route: R, call: Call<R>): Promise<AnswerOf<R>>
  /** A raw connection at one of its doors, with the key. */
  dial(path: string, signal: AbortSignal): Promise<Duplex>
  /** The one that answered last. */
  now(): ControlPlane
  close(): void
}
export interface ControlPlane {
  url: URL
  /** For requests of people that are passed on: kept connections. */
  ask(options: {
    method: string
    path: string
    headers: Record<string, string | string[]>
  }): ReturnType<typeof askPlain>
  /** For upgrades that are passed on. */
  connect(): Duplex
}

const isKnown = (code: string): code is ErrorCode => code in ERRORS
const pathOf = ({ path }: AnyRoute, query: object = {}): string => {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined)
  return pairs.length === 0
    ? path
    : `${path}?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > ANSWER_BYTES) throw new Error('its answer is too long')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** What it said of the error table; null: somebody in between answered in his own words. */
function toldBy(text: string): KalnetError | null {
  try {
    const { code, details } = errorBody.parse(JSON.parse(text)).error
    return isKnown(code) ? fail(code, details) : null
  } catch {
    return null
  }
}

export function createControlPlane(url: URL, ca: string | undefined): ControlPlane {
  const secure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (secure ? 443 : 80))
  const servername = isIP(host) ? undefined : host
  const kept = { keepAlive: true, maxFreeSockets: 64, timeout: 60_000 }
  const agent = secure ? new SecureAgent({ ...kept, ca, servername }) : new Agent(kept)
  return {
    url,
    ask: (options) =>
      secure ? askSecure({ host, port, agent, ...options }) : askPlain({ host, port, agent, ...options }),
    connect: () =>
      secure
        ? connectSecure({ host, port, ca, servername, ALPNProtocols: ['http/1.1'] })
        : connect({ host, port, noDelay: true }),
  }
}

export function createControlPlanes(options: {
  urls: readonly URL[]
  key: string
  /** PEM of the authority that is trusted; none: that of the system. */
  ca?: string
  clock: Clock
}): ControlPlanes {
  const { key, ca, clock } = options
  const all = options.urls.map((url) => createControlPlane(url, ca))
  let current = 0
  let refused: { error: KalnetError; until: number } | null = null
  const at = (place: number): ControlPlane => {
    const found = all[place % all.length]
    if (!found) throw new Error('there is no control plane')
    return found
  }

  async function askOne<R extends AnyRoute>(
    one: ControlPlane,
    route: R,
    call: Call<R>,
  ): Promise<AnswerOf<R>> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs ?? CALL_MS)])
    const out = one.ask({
      method: route.method,
      path: pathOf(route, call.query),
      headers: {
        host: one.url.host,
        authorization: `Bearer ${key}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      },
    })
    const end = () => out.destroy(new Error('it did not answer in time'))
    signal.addEventListener('abort', end, { once: true })
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        out.once('response', resolve)
        out.on('error', reject)
        if (signal.aborted) end()
        else out.end(body)
      })
      const text = await textOf(answer)
      const status = answer.statusCode ?? 0
      if (status < 200 || status > 299) throw toldBy(text) ?? new Error(`it answered with status ${status}`)
      return route.answer.parse(JSON.parse(text)) as AnswerOf<R>
    } finally {
      signal.removeEventListener('abort', end)
    }
  }
  /** What a control plane says of a request is its answer; that it cannot say anything is none. */
  async function inTurn<T>(work: (one: ControlPlane) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (refused && refused.until > clock.now().getTime()) throw refused.error
    let last: unknown = null
    const first = current
    for (let more = 0; more < all.length; more++) {
      const place = (first + more) % all.length
      try {
        const done = await work(at(place))
        current = place
        return done
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof KalnetError && error.status < 500) {
          if (error.status === 401) refused = { error, until: clock.now().getTime() + REFUSED_MS }
          throw error
        }
        last = error
      }
    }
    throw fail('gateway.away', {}, last)
  }

  return {
    call: (route, call) => inTurn((one) => askOne(one, route, call), call.signal),
    dial: (path, signal) =>
      inTurn(
        ({ url }) =>
          dialRaw({
            url: url.href,
            path,
            token: key,
            signal,
            timeoutMs: CONNECT_MS,
            ...(ca ? { tls: { ca } } : {}),
          }),
        signal,
      ),
    now: () => at(current),
    close() {
      current = 0
    },
  }
}
