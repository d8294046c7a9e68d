/** Calls to the API of a cluster: plain JSON by path, server-side apply, watches and channels. Nothing else of the cluster is asked. */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent, request } from 'node:https'
import { createInterface } from 'node:readline'
import { backoff, type Clock, systemClock } from '@kalnet/io/clock'
import { type Channels, ChannelsRefused, openChannels } from '@kalnet/wire/channels'
import { PlatformAway } from '../away.ts'
import { notReached } from './reach.ts'
import type { Access, SignIn } from './sign-in.ts'

/** Who owns the fields that we set (server-side apply). */
export const FIELD_MANAGER = 'kalnet-controller'
const ANSWER_MS = 20_000
const SILENCE_MS = 150_000
const KEEP_ALIVE_MS = 10_000
const MOST_BYTES = 32 * 2 ** 20
/** An API server serves some hundred writes at once, of everybody together: what is more waits here. */
const QUESTIONS_AT_ONCE = 24
/** How long one that has too much to do is asked again. */
const BUSY_MS = 60_000
const UNAUTHORISED = 401

/** What the API refused: its status and reason are for us, its message for people. */
export class ApiProblem extends Error {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

export const isGone = (error: unknown): boolean => error instanceof ApiProblem && error.status === 404

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: T
}
type Query = Record<string, string | number | readonly string[]>

export interface Api {
  get<T>(path: string, query?: Query): Promise<T>
  text(path: string, query?: Query): Promise<string>
  /** Creates it, or changes the fields that are ours; the others stay as somebody else wants them. */
  apply<T>(path: string, object: object): Promise<T>
  patch<T>(path: string, changes: object): Promise<T>
  post<T>(path: string, object: object): Promise<T>
  /** Gone already is gone. */
  remove(path: string, options?: object): Promise<void>
  watch<T>(path: string, query: Query, signal: AbortSignal): AsyncIterable<WatchEvent<T>>
  channels(path: string, query: Query, protocols: string[], signal: AbortSignal): Promise<Channels>
}

const withQuery = (url: URL, query: Query = {}) => {
  for (const [name, value] of Object.entries(query))
    for (const it of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(it))
  return url
}

/** The API's own words where it has some (v1.Status), else the status. */
function problemOf(status: number, text: string): ApiProblem {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: string; message?: string }
    return new ApiProblem(status, reason ?? '', message ?? `the cluster answered ${status}`)
  } catch {
    // Somebody in between answered in his own words.
    return new ApiProblem(status, '', `the cluster answered ${status}`)
  }
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > MOST_BYTES) throw new Error('the cluster answered more than we take')
      pieces.push(piece)
    }
  } catch (error) {
    if (bytes > MOST_BYTES) throw error
    throw new PlatformAway('the cluster broke its answer off', { cause: error })
  }
  return Buffer.concat(pieces).toString('utf8')
}

interface Asked {
  method: string
  path: string
  query?: Query
  body?: object
  type?: string
  signal?: AbortSignal
  /** Silence longer than this ends it. */
  silenceMs?: number
}

/** Busy, starting or behind something that does not reach it: another time it answers. */
export const isBusy = (status: number): boolean => status === 429 || (status >= 502 && status <= 504)

export function createApi(signIn: SignIn, clock: Clock = systemClock): Api {
  const how = { keepAlive: true, maxSockets: QUESTIONS_AT_ONCE }
  const questions = { plain: new PlainAgent(how), secure: new Agent(how) }
  /** A watch keeps its connection: it takes no turn away from questions. */
  const watches = { plain: new PlainAgent(), secure: new Agent() }

  const targetOf = ({ url }: Access, path: string, query?: Query) =>
    withQuery(new URL(`${url.replace(/\/$/, '')}${path}`), query)
  /** What stands in the way of asking says nothing about what runs there. */
  const whoWeAre = () =>
    signIn.access().catch((error: unknown) => {
      throw new PlatformAway(error instanceof Error ? error.message : String(error), { cause: error })
    })
  const cut = (error: unknown, { url, tls }: Access) => {
    signIn.renew()
    return notReached(error, url, Boolean(tls.ca))
  }
  /** Its refusals; another token may be there by now. */
  const refused = (status: number, text: string) => {
    if (status === UNAUTHORISED) signIn.renew()
    return problemOf(status, text)
  }

  async function open(asked: Asked): Promise<IncomingMessage> {
    const { method, path, query, body, type = 'application/json', signal, silenceMs = ANSWER_MS } = asked
    const agents = query?.watch ? watches : questions
    const access = await whoWeAre()
    const { headers, tls } = access
    const target = targetOf(access, path, query)
    const text = body && JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const isSecure = target.protocol === 'https:'
      const options = {
        method,
        signal,
        timeout: silenceMs,
        headers: {
          ...headers,
          accept: 'application/json',
          ...(text && { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
        },
      }
      const out = isSecure
        ? request(target, { ...options, ...tls, agent: agents.secure })
        : plainRequest(target, { ...options, agent: agents.plain })
      out.on('timeout', () => out.destroy(new PlatformAway('the cluster does not answer')))
      out.on('error', (error) => reject(cut(error, access)))
      out.once('response', resolve)
      out.end(text)
    })
  }

  async function askOnce(asked: Asked) {
    const answer = await open(asked)
    const text = await bodyOf(answer)
    const afterMs = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0
    return { text, status: answer.statusCode ?? 0, afterMs }
  }
  async function ask(asked: Asked): Promise<string> {
    const until = clock.now().getTime() + BUSY_MS
    for (let attempt = 0; ; attempt += 1) {
      const { text, status, afterMs } = await askOnce(asked)
      if (status < 300) return text
      // It has too much to do and did nothing of this: it is asked again when it says so, not by all at the same moment.
      if (status !== 429 || clock.now().getTime() > until) throw refused(status, text)
      await clock.sleep(Math.min(afterMs, BUSY_MS) + backoff(attempt, 50, 2_000))
    }
  }
  const json = async <T>(asked: Asked) => {
    const text = await ask(asked)
    try {
      return JSON.parse(text) as T
    } catch (error) {
      throw new Error('what answers there is no cluster', { cause: error })
    }
  }

  return {
    get: (path, query) => json({ method: 'GET', path, query }),
    text: (path, query) => ask({ method: 'GET', path, query }),
    apply: (path, body) =>
      json({
        method: 'PATCH',
        path,
        query: { fieldManager: FIELD_MANAGER, force: 'true' },
        body,
        type: 'application/apply-patch+yaml',
      }),
    patch: (path, body) =>
      json({
        method: 'PATCH',
        path,
        query: { fieldManager: FIELD_MANAGER },
        body,
        type: 'application/merge-patch+json',
      }),
    post: (path, body) => json({ method: 'POST', path, body }),
    async remove(path, body) {
      try {
        await ask({ method: 'DELETE', path, body })
      } catch (error) {
        if (!isGone(error)) throw error
      }
    },
    async *watch<T>(path: string, query: Query, signal: AbortSignal) {
      const whole = { watch: 'true', allowWatchBookmarks: 'true', ...query }
      // A bookmark comes about each minute: silence longer than that is a way that is cut.
      const answer = await open({ method: 'GET', path, query: whole, signal, silenceMs: SILENCE_MS })
      // So that a cluster that vanished is noticed without a question (10 s, then 10 probes a second apart).
      answer.socket.setKeepAlive(true, KEEP_ALIVE_MS)
      if (answer.statusCode !== 200) throw refused(answer.statusCode ?? 0, await bodyOf(answer))
      for await (const line of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY }))
        if (line) yield JSON.parse(line) as WatchEvent<T>
    },
    async channels(path, query, protocols, signal) {
      const access = await whoWeAre()
      const { headers, tls } = access
      const url = targetOf(access, path, query)
      try {
        return await openChannels({ url, headers, tls, protocols, signal })
      } catch (error) {
        if (error instanceof ChannelsRefused) throw refused(error.status, error.message)
        signal.throwIfAborted()
        throw new PlatformAway('the API of the cluster does not answer, and the way leads through it', {
          cause: cut(error, access),
        })
      }
    },
  }
}
