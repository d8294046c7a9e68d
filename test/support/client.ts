/** A person's client for tests: plain HTTP with the cookie a browser would keep, typed by the routes. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorBody } from '@kalnet/contracts/errors'
import { type Entered, identityRoutes } from '@kalnet/contracts/identity'
import type { PlatformName } from '@kalnet/contracts/instance'
import type { AnswerOf, AnyRoute, BodyIn } from '@kalnet/contracts/route'
import { type Session, sessionRoutes } from '@kalnet/contracts/session'
import { STREAM_PATH, STREAM_PROTOCOL, streamRoutes, TICKET_PREFIX } from '@kalnet/contracts/stream'
import { WebSocket } from 'ws'

export interface Answer<T> {
  status: number
  body: T
  headers: Record<string, string | string[] | undefined>
}
interface CallOptions<R> {
  params?: Record<string, string>
  query?: Record<string, string>
  body?: BodyIn<R>
  headers?: Record<string, string>
}

export const OWNER = { name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' }

/** One request; an answer of any status is an answer. */
export function ask(
  base: string,
  {
    method,
    path,
    headers = {},
    body,
    ca,
    at,
  }: {
    method: string
    path: string
    headers?: Record<string, string>
    body?: string | Buffer
    ca?: string
    /** Where the name of `base` is found, whatever resolvers say of it. */
    at?: string
  },
): Promise<Answer<unknown>> {
  const url = new URL(path, base)
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method,
        headers: { ...(at ? { host: url.host } : {}), origin: url.origin, ...headers },
        ca,
        signal: AbortSignal.timeout(30_000),
        // A connection that is kept may be closed by the other side just as the next request goes out.
        agent: false,
        ...(at ? { hostname: at, servername: url.hostname } : {}),
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const json = String(answer.headers['content-type']).includes('json')
          resolve({
            status: answer.statusCode ?? 0,
            body: json ? JSON.parse(text) : text,
            headers: answer.headers,
          })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Names lead there, whatever resolvers say of them. */
const leadingTo =
  (address: string): LookupFunction =>
  (_name, options, done) =>
    options.all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)

export function createClient(base: string, ca?: string, at?: string) {
  let cookie = ''
  const attempt = async <R extends AnyRoute>(
    route: R,
    options: CallOptions<R> = {},
  ): Promise<Answer<AnswerOf<R> | ErrorBody>> => {
    const path = route.path.replace(/:(\w+)/g, (_whole, name: string) =>
      encodeURIComponent(options.params?.[name] ?? ''),
    )
    const query = options.query ? `?${new URLSearchParams(options.query)}` : ''
    const body = ['POST', 'PUT', 'PATCH'].includes(route.method)
      ? JSON.stringify(options.body ?? {})
      : undefined
    const answer = await ask(base, {
      method: route.method,
      path: `${path}${query}`,
      headers: {
        ...(cookie ? { cookie } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...options.headers,
      },
      body,
      ca,
      at,
    })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';')
      cookie = pair.endsWith('=') ? '' : pair
    }
    return answer as Answer<AnswerOf<R> | ErrorBody>
  }
  const call = async <R extends AnyRoute>(route: R, options: CallOptions<R> = {}): Promise<AnswerOf<R>> => {
    const answer = await attempt(route, options)
    if (answer.status >= 400)
      throw new Error(`${route.method} ${route.path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body as AnswerOf<R>
  }
  /** The viewer's WebSocket with a fresh ticket. Listen to it at once: its bytes come as soon as the controller has dialled. */
  const open = async (id: string): Promise<WebSocket> => {
    const { ticket } = await call(streamRoutes.ticket, { params: { id }, body: {} })
    const url = new URL(STREAM_PATH, base.replace(/^http/, 'ws'))
    return new WebSocket(url, [STREAM_PROTOCOL, TICKET_PREFIX + ticket], {
      headers: { cookie },
      origin: new URL(base).origin,
      ca,
      ...(at && { lookup: leadingTo(at) }),
      handshakeTimeout: 10_000,
    })
  }
  return {
    attempt,
    call,
    get cookie() {
      return cookie
    },
    claim: async (token: string) =>
      whole(
        await call(identityRoutes.claim, { body: { token, ...OWNER, organisationName: 'The Lovelaces' } }),
      ),
    signIn: async (password = OWNER.password, email = OWNER.email) =>
      whole(await call(identityRoutes.signIn, { body: { email, password } })),
    launch: (templateId: string, platform?: PlatformName) =>
      call(sessionRoutes.launch, { body: { templateId, platform } }),
    /** Waits until the session is in one of the states; throws with its reason and log after the limit. */
    async until(id: string, states: Session['state'][], limitMs = 240_000): Promise<Session> {
      const end = Date.now() + limitMs
      for (;;) {
        const session = await call(sessionRoutes.read, { params: { id } })
        if (states.includes(session.state)) return session
        if (Date.now() > end || session.state === 'failed')
          throw new Error(
            `the session is ${session.state}: ${session.reason ?? ''} ${JSON.stringify(session.progress)}\n${session.logTail.join('\n')}`,
          )
        await sleep(100)
      }
    },
    open,
    /** As open; resolves with its first bytes. */
    async view(id: string): Promise<{ socket: WebSocket; first: Buffer }> {
      const socket = await open(id)
      return new Promise((resolve, reject) => {
        socket.once('message', (data: Buffer) => resolve({ socket, first: data }))
        socket.once('error', reject)
        socket.once('close', (code) => reject(new Error(`closed with ${code} before the first byte`)))
      })
    },
  }
}
/** Who is in, of an answer at the door; these people have no second factor. */
function whole(answer: Entered) {
  if (answer.state !== 'signed-in') throw new Error('a second factor is asked')
  return answer.me
}
export type Client = ReturnType<typeof createClient>
