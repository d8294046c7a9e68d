/** The only way out to other programs' addresses: resolved, filtered and pinned at dial time and again at each redirect; capped in size and time. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { Agent, buildConnector, request } from 'undici'
import { isAllowed, parseNetworks } from './addresses.ts'

export interface OutboundOptions {
  /** Own networks that may be reached (`192.168.1.0/24`, `127.0.0.1`). Default: none, the open internet only. */
  allow?: readonly string[]
  /** PEM of all roots that are trusted, instead of those of Node. */
  ca?: readonly string[]
  /** Tests: how names are resolved. */
  resolve?(name: string): Promise<string[]>
}
export interface Ask {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Buffer
  signal: AbortSignal
  /** All of it, redirects included. Default 10 s. */
  timeoutMs?: number
  /** Largest answer. Default 1 MiB. */
  maxBytes?: number
  /** Default 3. `answer`: none is followed, the redirect itself is the answer. */
  redirects?: number | 'answer'
  /** How long the other side may say nothing. Default 10 s. */
  silenceMs?: number
}
export interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer
  /** Where the answer came from in the end. */
  url: string
}
/** Why it did not go out or come back: for people, and without what was sent. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError'
}

const resolveName = async (name: string) => (await lookup(name, { all: true })).map((it) => it.address)
const SILENCE_MS = 10_000
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Belong to the host they were meant for. */
const PRIVATE_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization'])

export interface Outbound {
  ask(url: string, options: Ask): Promise<Answer>
  close(): Promise<void>
}

export function createOutbound({ allow = [], ca, resolve = resolveName }: OutboundOptions = {}): Outbound {
  const networks = parseNetworks(allow)
  const dial = buildConnector({ timeout: 5_000, ...(ca ? { ca: [...ca] } : {}) })

  /** Every address of the name must be allowed: one that is not means that the name is not to be trusted. */
  async function pinned(name: string): Promise<string> {
    const host = name.replace(/^\[|\]$/g, '')
    const addresses = isIP(host) ? [host] : await resolve(host).catch(() => [])
    const first = addresses[0]
    if (!first) throw new OutboundError(`The name ${host} is not known.`)
    const refused = addresses.find((address) => !isAllowed(address, networks))
    if (refused)
      throw new OutboundError(
        `${host} leads to ${refused}, which is not allowed. Add it to the allowed networks if it is yours.`,
      )
    return first
  }

  const agent = new Agent({
    // Dialled by address, so that nothing can resolve the name a second time; the certificate is still checked against the name.
    connect: (options, callback) => {
      pinned(options.hostname).then(
        (address) =>
          dial(
            {
              ...options,
              hostname: address,
              servername: options.servername || (isIP(options.hostname) ? undefined : options.hostname),
            },
            callback,
          ),
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      )
    },
    maxHeaderSize: 16_384,
    connections: 8,
    keepAliveTimeout: 1_000,
  })

  async function once(url: URL, ask: Ask, signal: AbortSignal) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new OutboundError(`${url.protocol} is not asked; http and https are.`)
    if (url.username || url.password)
      throw new OutboundError('An address with a password in it is not asked.')
    await pinned(url.hostname)
    const { method = 'GET', headers, body, silenceMs = SILENCE_MS } = ask
    const limits = { headersTimeout: silenceMs, bodyTimeout: silenceMs }
    return request(url, { method, headers, body, signal, dispatcher: agent, ...limits })
  }

  async function follow(first: string, ask: Ask, signal: AbortSignal): Promise<Answer> {
    if (!URL.canParse(first)) throw new OutboundError('That is not an address.')
    let url = new URL(first)
    let now = ask
    const { redirects = 3 } = ask
    for (let left = redirects === 'answer' ? 0 : redirects; ; left--) {
      const answer = await once(url, now, signal)
      const location = answer.headers.location
      if (redirects === 'answer' || !REDIRECTS.has(answer.statusCode) || typeof location !== 'string') {
        const body = await capped(answer.body, ask.maxBytes ?? 1 << 20)
        return { status: answer.statusCode, headers: flat(answer.headers), body, url: url.href }
      }
      answer.body.on('error', () => undefined).destroy()
      if (left <= 0) throw new OutboundError(`${url.host} redirects too often.`)
      const to = new URL(location, url)
      if (url.protocol === 'https:' && to.protocol === 'http:')
        throw new OutboundError(`${url.host} redirects from https to http.`)
      now = afterRedirect(now, answer.statusCode, to.origin === url.origin)
      url = to
    }
  }

  return {
    async ask(url, options) {
      const late = AbortSignal.timeout(options.timeoutMs ?? 10_000)
      try {
        return await follow(url, options, AbortSignal.any([options.signal, late]))
      } catch (error) {
        if (error instanceof OutboundError) throw error
        options.signal.throwIfAborted()
        if (late.aborted) throw new OutboundError('It did not answer in time.', { cause: error })
        const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
        throw new OutboundError(
          `It cannot be reached: ${inner instanceof Error ? inner.message : 'unknown'}.`,
          { cause: error },
        )
      }
    },
    close: () => agent.destroy(),
  }
}

/** 303 and, by custom, 301 and 302 turn a POST into a GET (RFC 9110 §15.4); what was meant for one host does not go to another. */
function afterRedirect(ask: Ask, status: number, sameOrigin: boolean): Ask {
  const plain = status === 303 || ((status === 301 || status === 302) && ask.method === 'POST')
  const kept = Object.entries(ask.headers ?? {}).filter(([name]) => {
    const low = name.toLowerCase()
    return (sameOrigin || !PRIVATE_HEADERS.has(low)) && !(plain && low.startsWith('content-'))
  })
  return {
    ...ask,
    headers: Object.fromEntries(kept),
    ...(plain ? { method: ask.method === 'HEAD' ? 'HEAD' : 'GET', body: undefined } : {}),
  }
}

async function capped(stream: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of stream) {
    size += piece.length
    // Leaving the loop closes the connection.
    if (size > most) throw new OutboundError(`The answer is larger than ${most} bytes.`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

const flat = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
