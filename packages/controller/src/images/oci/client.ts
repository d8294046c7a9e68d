/** One registry: requests with whatever sign-in it asks for, tried again while a failure may pass, ended in words. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isGlobal } from '@kalnet/io/addresses'
import { backoff, type Clock } from '@kalnet/io/clock'
import { type Answer, type Ask, createOutbound, OutboundError } from '@kalnet/io/outbound'
import { type Challenge, readChallenge, readToken, tokenAddress } from './challenge.ts'
import { RegistryProblem } from './pushed.ts'
import { Passing, problemOf } from './said.ts'
import { hostOf, type ImageRegistry } from './settings.ts'

/** Whoever names a registry may have it at home; never the addresses of the machine's provider (link-local). */
const OWN_NETWORKS = [
  '127.0.0.0/8',
  '::1',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
]
const ATTEMPTS = 5
const USUAL_MS = 30_000
const LARGEST = 4 << 20

export interface Request {
  method: NonNullable<Ask['method']>
  /** A path below the registry's address, or the whole address as the registry gave it. */
  at: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** Repositories that this is about, with what is done there: `kalnet/base:pull`. */
  scopes: readonly string[]
  timeoutMs?: number
  signal: AbortSignal
}

export interface RegistryClient {
  readonly host: string
  /** One request, signed in where that is asked for. Any status is an answer but 401; what may pass throws `Passing`. */
  once(request: Request): Promise<Answer>
  /** As `once`, for what may be done twice; `what` could not be done, if it never works. Only these statuses are an answer. */
  call(request: Request, what: string, statuses: readonly number[]): Promise<Answer>
  /** Does it again, with growing pauses, while it throws `Passing`. `attempts` counts only tries without progress: see `moved`. */
  persist<T>(signal: AbortSignal, work: (moved: () => void) => Promise<T>): Promise<T>
  close(): Promise<void>
}

const scopeOf = (scope: string) => {
  const at = scope.lastIndexOf(':')
  return `repository:${scope.slice(0, at)}:${scope.slice(at + 1)}`
}

export function createRegistryClient(registry: ImageRegistry, clock: Clock): RegistryClient {
  const base = new URL(registry.url)
  const host = hostOf(registry)
  const ca = registry.ca ? { ca: [registry.ca] } : {}
  const outbound = createOutbound({ allow: OWN_NETWORKS, ...ca })
  /** Who gives tokens: on the open internet, unless the registry is at home itself. */
  const elsewhere = createOutbound(ca)
  let challenge: Challenge | null = null
  const tokens = new Map<string, { token: string; until: number }>()

  async function isAtHome(): Promise<boolean> {
    const name = base.hostname.replace(/^\[|\]$/g, '')
    const addresses = isIP(name) ? [name] : (await lookup(name, { all: true })).map((it) => it.address)
    return addresses.every((address) => !isGlobal(address))
  }

  const basic = () => {
    const { user, password } = registry.credentials ?? {}
    return user === undefined
      ? null
      : `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
  }

  async function reach(way: typeof outbound, url: URL, ask: Ask): Promise<Answer> {
    try {
      return await way.ask(url.href, { ...ask, redirects: 'answer', maxBytes: LARGEST })
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error
      const isFinal = /not allowed|larger than|is not asked|certificate|self.signed/i.test(error.message)
      const words = `${url.host}: ${error.message}`
      throw isFinal ? new RegistryProblem('refused', words, error) : new Passing(words, null, error)
    }
  }

  async function tokenFor(
    asked: Challenge & { scheme: 'bearer' },
    scopes: readonly string[],
    signal: AbortSignal,
  ) {
    const key = [...scopes].sort().join(' ')
    const known = tokens.get(key)
    if (known && known.until > clock.now().getTime()) return known.token
    const url = tokenAddress(asked, base, scopes.map(scopeOf))
    const authorization = basic()
    const way = url.host === base.host || (await isAtHome()) ? outbound : elsewhere
    const headers = { accept: 'application/json', ...(authorization && { authorization }) }
    const answer = await reach(way, url, { headers, signal, timeoutMs: USUAL_MS })
    if (answer.status !== 200) throw problemOf(answer, url.host, `${host} could not be signed in to`)
    const { token, goodMs } = readToken(answer.body, url.host)
    tokens.set(key, { token, until: clock.now().getTime() + goodMs })
    return token
  }

  async function authorization(scopes: readonly string[], signal: AbortSignal): Promise<string | null> {
    if (challenge?.scheme === 'bearer') {
      try {
        return `Bearer ${await tokenFor(challenge, scopes, signal)}`
      } catch (error) {
        // What it asked for may be put right: the next request asks it anew.
        challenge = null
        throw error
      }
    }
    return challenge?.scheme === 'basic' ? basic() : null
  }

  async function once(request: Request): Promise<Answer> {
    const url = new URL(request.at, base)
    if (url.origin !== base.origin)
      throw new RegistryProblem(
        'refused',
        `${host} wants what is sent to go to ${url.protocol}//${url.host}, which was not given as the registry; nothing was sent there. ` +
          'A proxy before it may have to tell it its own address.',
      )
    const { method, body, scopes, signal, timeoutMs = USUAL_MS } = request
    for (let again = false; ; again = true) {
      const mine = await authorization(scopes, signal)
      const headers = { ...request.headers, ...(mine && { authorization: mine }) }
      const answer = await reach(outbound, url, {
        method,
        body,
        headers,
        signal,
        timeoutMs,
        silenceMs: timeoutMs,
      })
      if (answer.status !== 401) return answer
      const asked = readChallenge(answer.headers['www-authenticate'])
      // A token may have ended early: once more with a new one. A password is said once.
      tokens.clear()
      const isNew = challenge?.scheme !== asked?.scheme || asked?.scheme === 'bearer'
      challenge = asked
      if (again || !asked || !isNew || (asked.scheme === 'basic' && !basic()))
        throw registry.credentials
          ? problemOf(answer, host, 'Signing in failed')
          : new RegistryProblem('refused', `${host} asks who we are: give it a user name and a password.`)
    }
  }

  async function persist<T>(signal: AbortSignal, work: (moved: () => void) => Promise<T>): Promise<T> {
    let failures = 0
    for (;;) {
      signal.throwIfAborted()
      try {
        return await work(() => {
          failures = 0
        })
      } catch (error) {
        if (!(error instanceof Passing)) throw error
        failures += 1
        if (failures >= ATTEMPTS)
          throw new RegistryProblem('failed', `${error.message} Tried ${ATTEMPTS} times.`, error)
        await clock.sleep(error.waitMs ?? backoff(failures, 250, 8_000), signal)
      }
    }
  }

  return {
    host,
    once,
    persist,
    call: (request, what, statuses) =>
      persist(request.signal, async () => {
        const answer = await once(request)
        if (!statuses.includes(answer.status)) throw problemOf(answer, host, what)
        return answer
      }),
    async close() {
      await Promise.all([outbound.close(), elsewhere.close()])
    },
  }
}
